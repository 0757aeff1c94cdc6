-- Close a session: say so in its entry, and let all that it stores expire together.
--
-- KEYS[1]  flexion:sessions  hash, session -> entry (JSON)
-- KEYS[2...]  every key that the session stores
-- ARGV[1]  session
-- ARGV[2]  entry (JSON), closed
-- ARGV[3]  milliseconds to keep it
--
-- Returns 1.
for at = 2, #KEYS do
  redis.call('PEXPIRE', KEYS[at], ARGV[3])
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
