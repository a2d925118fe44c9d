-- KEYS: lease. ARGV: me, epoch, note. Reply: 1 noted, 0 it is not mine.
local row = redis.call('HMGET', KEYS[1], 'o', 'e')
if row[1] ~= ARGV[1] or row[2] ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'n')
else
  redis.call('HSET', KEYS[1], 'n', ARGV[3])
end
return 1
