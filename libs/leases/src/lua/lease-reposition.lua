-- KEYS: lease, epoch floor of the partition. ARGV: position, ended (1 or 0). Reply: 1 moved, 0 the row cannot be understood.
-- The epoch grows and the owner goes, so that whatever the owner still sends is refused.
local row = redis.call('HMGET', KEYS[1], 'e', 'x')
local epoch = tonumber(row[1] or '0')
if not epoch or not tonumber(row[2] or '0') or (not row[1] and redis.call('EXISTS', KEYS[1]) == 1) then
  return 0
end
local floor = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
redis.call('HSET', KEYS[1], 'o', '', 'e', decimal(math.max(epoch, floor) + 1), 'x', '0', 'c', ARGV[1])
redis.call('HDEL', KEYS[1], 'w', 'ct', 'n', 'want', 'wx', 'cs')
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'cs', 'END')
end
return 1
