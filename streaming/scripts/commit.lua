-- Give a window its one result and take it off the stream (law 5).
--
-- XACK and XDEL come first: at maxmemory only a script whose first write takes no memory is let through, and only so
-- can a full server drain itself.
--
-- KEYS[1]  :windows  stream of waiting windows
-- KEYS[2]  :results  stream of results
-- KEYS[3]  :done     hash, index -> state of its result
-- KEYS[4]  :term     string; its time to live is that of the session
-- ARGV[1]  consumer group
-- ARGV[2]  entry ID of the window
-- ARGV[3]  milliseconds that a session is kept once nobody runs it
-- ARGV[4]  index of the window
-- ARGV[5]  state of the result
-- ARGV[6...]  field, value, ...
--
-- Returns 1 if this is the window's result now, 0 if it had one.
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
local first = redis.call('HSETNX', KEYS[3], ARGV[4], ARGV[5])
if first == 1 then
  redis.call('XADD', KEYS[2], '*', unpack(ARGV, 6))
end

-- A session that is closed, or that a wiped server no longer knows, must not leave keys behind for ever.
local left = redis.call('PTTL', KEYS[4])
if left ~= -1 then
  if left < 0 then
    left = ARGV[3]
  end
  redis.call('PEXPIRE', KEYS[2], left)
  redis.call('PEXPIRE', KEYS[3], left)
end
return first
