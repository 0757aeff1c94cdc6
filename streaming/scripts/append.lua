-- Append a small record to a stream, also at maxmemory: windows fill a server, and these say so.
--
-- KEYS[1]  the stream
-- KEYS[2]  :term of the session that the stream belongs to; absent for streams that no session owns
-- ARGV[1]  milliseconds that a session is kept once nobody runs it
-- ARGV[2]  entries that the stream keeps, about; 0 for all
-- ARGV[3...]  field, value, ...
--
-- Returns the entry ID.
redis.call('XDEL', KEYS[1], '0-1')
local entry
if ARGV[2] == '0' then
  entry = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
else
  entry = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
end
if KEYS[2] then
  local left = redis.call('PTTL', KEYS[2])
  if left ~= -1 then
    if left < 0 then
      left = ARGV[1]
    end
    redis.call('PEXPIRE', KEYS[1], left)
  end
end
return entry
