-- KEYS: lease. ARGV: me, epoch. Reply: 1 marked (also when it already was, by me), 0 fenced.
local row = redis.call('HMGET', KEYS[1], 'o', 'e')
if row[1] ~= ARGV[1] or row[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'cs', 'END')
redis.call('HDEL', KEYS[1], 'w')
return 1
