-- Begin a term: put back the results that the server lacks, make the group, write the term, all in one act.
--
-- A wipe can come before it or after it, never between the results and the term.
--
-- KEYS[1]  :windows  stream of waiting windows
-- KEYS[2]  :results  stream of results
-- KEYS[3]  :done     hash, index -> state of its result
-- KEYS[4]  :term     string, the term of the one bridge that may publish
-- KEYS[5...]         what else the session stores; kept from expiring, as all of it is
-- ARGV[1]  term of the bridge
-- ARGV[2]  consumer group
-- ARGV[3]  number of arguments that make up the fields of a result
-- ARGV[4...]  for each result: index, state, field, value, ...
--
-- Returns {'open', run_id, index, state, index, state, ...} with every result that the server holds now,
-- or {'fenced', term} when a higher term rules.
local term, group, width = ARGV[1], ARGV[2], tonumber(ARGV[3])

local ruling = redis.call('GET', KEYS[4])
if ruling and tonumber(ruling) > tonumber(term) then
  return {'fenced', ruling}
end

-- First a write that takes no memory: after it the script is let through at maxmemory.
redis.call('DEL', KEYS[4])
for at = 4, #ARGV, width + 2 do
  if redis.call('HSETNX', KEYS[3], ARGV[at], ARGV[at + 1]) == 1 then
    redis.call('XADD', KEYS[2], '*', unpack(ARGV, at + 2, at + 1 + width))
  end
end

-- From 0, never from $: what came while no scorer was there is read too.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], group, '0', 'MKSTREAM')
if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return made
end
for _, key in ipairs(KEYS) do
  redis.call('PERSIST', key)
end
redis.call('SET', KEYS[4], term)

local reply = {'open', string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')}
for _, value in ipairs(redis.call('HGETALL', KEYS[3])) do
  reply[#reply + 1] = value
end
return reply
