-- KEYS: order (sorted set: id -> when it failed), facts, rows (hashes by id), counts, event of the batch, which is there already
-- and would expire.
-- ARGV: id, when it failed, facts ("<bytes>\n<name>\n<mapping UUID>\n<mapping>"), row, part of maxmemory that may be used.
-- Reply: 1 stored, 0 it was there before, -1 the store is full, -2 the event has expired.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
if redis.call('EXISTS', KEYS[5]) == 0 then
  return -2
end

-- Leases may live in the same Redis, and at its limit not even they could be renewed. An account that may not ask is not held to it.
local info = redis.pcall('INFO', 'memory')
if type(info) == 'string' then
  local used, limit = tonumber(string.match(info, 'used_memory:(%d+)')), tonumber(string.match(info, 'maxmemory:(%d+)'))
  if used and limit and limit > 0 and used > limit * ARGV[5] then
    redis.call('UNLINK', KEYS[5])
    return -1
  end
end

local bytes, name = string.match(ARGV[3], '^(%d+)\n([^\n]*)\n')
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PERSIST', KEYS[5])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
redis.call('HINCRBY', KEYS[4], 'n:' .. name, 1)
redis.call('HINCRBY', KEYS[4], 'b:' .. name, bytes)
return 1
