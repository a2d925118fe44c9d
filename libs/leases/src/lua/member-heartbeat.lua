-- KEYS: members (sorted set: token -> deadline), member rows (hash: token -> "<ttl ms> <info JSON>").
-- ARGV: token, ttl ms, info JSON. Also sweeps members whose deadline has passed.
redis.call('ZADD', KEYS[1], decimal(now + ARGV[2]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', decimal(now), 'LIMIT', 0, 100)
for i = 1, #dead do
  redis.call('ZREM', KEYS[1], dead[i])
  redis.call('HDEL', KEYS[2], dead[i])
end
return 1
