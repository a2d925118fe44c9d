-- KEYS: gate. ARGV: owner, ttl ms of the probe. Reply: 1 for exactly one caller once the wait is over.
local row = redis.call('HMGET', KEYS[1], 's', 'u', 'px')
if row[1] ~= 'open' or (tonumber(row[2]) or 0) > now or (tonumber(row[3] or '0') or 0) > now then
  return 0
end
redis.call('HSET', KEYS[1], 'px', decimal(now + ARGV[2]), 'po', ARGV[1])
return 1
