-- Keep a window that no scorer survived, with its bytes, and give it its one result: dead_lettered (law 5).
--
-- KEYS[1]  :windows  stream of waiting windows
-- KEYS[2]  :results  stream of results
-- KEYS[3]  :done     hash, index -> state of its result
-- KEYS[4]  :term     string; its time to live is that of the session
-- KEYS[5]  :dead     stream of dead letters
-- ARGV[1]  consumer group
-- ARGV[2]  entry ID of the window
-- ARGV[3]  milliseconds that a session is kept once nobody runs it
-- ARGV[4]  index of the window
-- ARGV[5]  why
-- ARGV[6]  deliveries so far
-- ARGV[7...]  field, value, ... of the result
--
-- Returns 1 if the window is a dead letter now; 0 if it is gone or had a result.
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if not entry then
  return 0
end
redis.call('XDEL', KEYS[1], ARGV[2])
if redis.call('HSETNX', KEYS[3], ARGV[4], 'dead_lettered') == 0 then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 7))
redis.call('XADD', KEYS[5], '*', 'entry', ARGV[2], 'reason', ARGV[5], 'deliveries', ARGV[6], unpack(entry[2]))

local left = redis.call('PTTL', KEYS[4])
if left ~= -1 then
  if left < 0 then
    left = ARGV[3]
  end
  for at = 2, 5 do
    redis.call('PEXPIRE', KEYS[at], left)
  end
end
return 1
