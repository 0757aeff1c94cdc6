-- Enter a session, unless another open one has its bed.
--
-- KEYS[1]  flexion:sessions  hash, session -> entry (JSON)
-- KEYS[2]  flexion:beds      hash, bed -> newest session
-- ARGV[1]  session
-- ARGV[2]  bed in lower case; empty for none
-- ARGV[3]  entry (JSON)
--
-- Returns the session that has the bed: this one, or the open one that is in the way.
local session, bed = ARGV[1], ARGV[2]
if bed ~= '' then
  local other = redis.call('HGET', KEYS[2], bed)
  local entry = other and other ~= session and redis.call('HGET', KEYS[1], other)
  if entry and cjson.decode(entry).closed_ms == cjson.null then
    return other
  end
end
-- First a write that takes no memory: after it the script is let through at maxmemory.
redis.call('HDEL', KEYS[1], session)
redis.call('HSET', KEYS[1], session, ARGV[3])
if bed ~= '' then
  redis.call('HSET', KEYS[2], bed, session)
end
return session
