-- KEYS: lease. ARGV: claimant, ttl ms of the request. Reply: 1 the request stands, 0 it does not.
local row = redis.call('HMGET', KEYS[1], 'o', 'x', 'want', 'wx')
local claimant, ttl = ARGV[1], tonumber(ARGV[2])
local owner, expiry = row[1] or '', tonumber(row[2] or '0') or 0
if owner == '' or owner == claimant or expiry <= now then
  return 0
end
local wantedUntil = tonumber(row[4] or '0') or 0
if row[3] and row[3] ~= claimant and wantedUntil > now and wantedUntil - now <= 4 * ttl then
  return 0
end
redis.call('HSET', KEYS[1], 'want', claimant, 'wx', decimal(now + ttl))
return 1
