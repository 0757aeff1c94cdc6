-- Add a window, if this bridge is still the one that may and the server still holds what it was given (law 5).
--
-- KEYS[1]  :windows  stream of waiting windows
-- KEYS[2]  :done     hash, index -> state of its result
-- KEYS[3]  :term     string, the term of the one bridge that may publish
-- ARGV[1]  term of the bridge
-- ARGV[2]  run_id of the server that the bridge opened; another one may have lost the tail of its memory
-- ARGV[3]  most windows that may wait
-- ARGV[4]  index of the window; absent: only check
-- ARGV[5...]  field, value, ...
--
-- Returns {word, detail}:
--   added            the window waits for a scorer
--   there            this term published it before, and it waits still
--   done             it has a result
--   held             only checked, all is well
--   fenced  TERM     a higher term rules
--   refused WHY      term gone or lower, another server, or an index out of order
--   full    WAITING  too many wait; -1 when memory is out
local term, run_id, limit, index = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local ruling = redis.call('GET', KEYS[3])
if not ruling then
  return {'refused', 'it holds no term for the session'}
end
if tonumber(ruling) > tonumber(term) then
  return {'fenced', ruling}
end
if ruling ~= term then
  return {'refused', 'it holds the older term ' .. ruling}
end
if not string.find(redis.call('INFO', 'server'), 'run_id:' .. run_id, 1, true) then
  return {'refused', 'it was started anew'}
end
if not index then
  return {'held', ''}
end

if redis.call('HEXISTS', KEYS[2], index) == 1 then
  return {'done', ''}
end
local entry = term .. '-' .. index
if #redis.call('XRANGE', KEYS[1], entry, entry) > 0 then
  return {'there', ''}
end
local waiting = redis.call('XLEN', KEYS[1])
if waiting >= limit then
  return {'full', tostring(waiting)}
end

local reply = redis.pcall('XADD', KEYS[1], entry, unpack(ARGV, 5))
if type(reply) == 'table' and reply.err then
  if string.find(reply.err, 'OOM', 1, true) then
    return {'full', '-1'}
  end
  if string.find(reply.err, 'equal or smaller', 1, true) then
    return {'refused', 'a later window of this term was published before it, and it is gone'}
  end
  return reply
end
return {'added', ''}
