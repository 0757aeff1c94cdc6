-- Keep leases alive; PEXPIRE is allowed at maxmemory, SET is not.
--
-- KEYS[1...]  leases
-- ARGV[1]  owner, as the lease names it
-- ARGV[2]  time to live in milliseconds
--
-- Returns {'kept'}, {'held', owner} when another owner has one, or {'gone'} when one ran out or was wiped.
local gone = false
for _, key in ipairs(KEYS) do
  local owner = redis.call('GET', key)
  if owner and owner ~= ARGV[1] then
    return {'held', owner}
  end
  gone = gone or not owner
end
if gone then
  return {'gone'}
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[2])
end
return {'kept'}
