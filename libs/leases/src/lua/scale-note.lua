-- KEYS: noted mappings (sorted set: id -> when), most slots (hash: id -> number). ARGV: id, slots, id, slots ...
for i = 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], decimal(now), ARGV[i])
  local known = tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or '-1') or -1
  if tonumber(ARGV[i + 1]) > known then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
return 1
