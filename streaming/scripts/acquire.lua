-- Take a bed and its sources, all or none, and grant the next term.
--
-- KEYS[1]  :term of the session
-- KEYS[2...]  leases
-- ARGV[1]  owner, as the lease names it
-- ARGV[2]  time to live in milliseconds
-- ARGV[3]  highest term that the session folder knows
-- ARGV[4...]  owners that are known to be gone
--
-- Returns {'granted', term}, or {'held', owner} of the first lease that another owner has.
local gone = {[ARGV[1]] = true}
for at = 4, #ARGV do
  gone[ARGV[at]] = true
end
for at = 2, #KEYS do
  local owner = redis.call('GET', KEYS[at])
  if owner and not gone[owner] then
    return {'held', owner}
  end
end

local term = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(ARGV[3])) + 1
-- First a write that takes no memory: after it the script is let through at maxmemory.
redis.call('DEL', KEYS[1])
for at = 2, #KEYS do
  redis.call('SET', KEYS[at], ARGV[1], 'PX', ARGV[2])
end
redis.call('SET', KEYS[1], string.format('%d', term))
return {'granted', string.format('%d', term)}
