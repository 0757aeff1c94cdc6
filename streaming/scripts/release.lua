-- Give back the leases that are still ours.
--
-- KEYS[1...]  leases
-- ARGV[1]  owner, as the lease names it
--
-- Returns how many were ours.
local ours = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    ours = ours + redis.call('DEL', key)
  end
end
return ours
