-- KEYS: order (sorted set: id -> when it failed), facts, rows (hashes by id), counts, event of the batch.
-- ARGV: id, when it failed, facts ("<bytes>\n<name>\n<mapping UUID>\n<mapping>"), row, event, part of maxmemory that may be used.
-- Reply: 1 stored, 0 it was there already, -1 the store is full.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end

-- Leases may live in the same Redis, and at its limit not even they could be renewed. An account that may not ask is not held to it.
local info = redis.pcall('INFO', 'memory')
if type(info) == 'string' then
  local used, limit = tonumber(string.match(info, 'used_memory:(%d+)')), tonumber(string.match(info, 'maxmemory:(%d+)'))
  if used and limit and limit > 0 and used + #ARGV[5] > limit * ARGV[6] then
    return -1
  end
end

local bytes, name = string.match(ARGV[3], '^(%d+)\n([^\n]*)\n')
redis.call('SET', KEYS[5], ARGV[5])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
redis.call('HINCRBY', KEYS[4], 'n:' .. name, 1)
redis.call('HINCRBY', KEYS[4], 'b:' .. name, bytes)
return 1
