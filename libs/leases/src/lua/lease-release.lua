-- KEYS: lease. ARGV: me, epoch, next owner or ''. Reply: 1 it was mine, 0 it was not.
local row = redis.call('HMGET', KEYS[1], 'o', 'e', 'want', 'wx')
if row[1] ~= ARGV[1] or row[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'o', '', 'x', '0')
redis.call('HDEL', KEYS[1], 'n')
local successor = ARGV[3]
if successor == '' and row[3] and (tonumber(row[4] or '0') or 0) > now then
  successor = row[3]
end
if successor == '' then
  redis.call('HDEL', KEYS[1], 'want', 'wx')
else
  redis.call('HSET', KEYS[1], 'want', successor, 'wx', decimal(now + 5000))
end
return 1
