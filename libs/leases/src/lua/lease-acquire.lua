-- KEYS: lease, epoch floor of the partition. ARGV: me, ttl ms.
-- Reply: {'acquired', epoch, checkpoint|nil, window} | {'held', owner} | {'ended'} | {'corrupt'}
local row = redis.call('HMGET', KEYS[1], 'o', 'e', 'x', 't', 'c', 'cs', 'want', 'wx')
local me, ttl = ARGV[1], tonumber(ARGV[2])
local owner = row[1] or ''
local epoch, expiry = tonumber(row[2] or '0'), tonumber(row[3] or '0')
if not epoch or not expiry or (not row[2] and redis.call('EXISTS', KEYS[1]) == 1) then
  return {'corrupt'}
end
if row[6] == 'END' then
  return {'ended'}
end

-- Read only for whoever gets the lease: a window may be a mebibyte. One without its checkpoint would fit nothing.
local function acquired(atEpoch)
  return {'acquired', atEpoch, row[5], row[5] and redis.call('HGET', KEYS[1], 'w') or ''}
end

-- An expiry far beyond what its owner can have asked for means that Redis's clock went backwards.
local ownersTtl = tonumber(row[4] or '') or ttl
if owner ~= '' and expiry > now and expiry - now <= 4 * ownersTtl then
  if owner ~= me then
    return {'held', owner}
  end
  -- A repeat after a lost reply. It has to extend: the caller counts its validity from this call.
  redis.call('HSET', KEYS[1], 'x', decimal(now + ttl), 't', decimal(ttl))
  return acquired(row[2])
end

-- Released and reserved for somebody else.
local wantedUntil = tonumber(row[8] or '0') or 0
if owner == '' and row[7] and row[7] ~= me and wantedUntil > now and wantedUntil - now <= 5000 then
  return {'held', row[7]}
end

local floor = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local nextEpoch = decimal(math.max(epoch, floor) + 1)
redis.call('HSET', KEYS[1], 'o', me, 'e', nextEpoch, 'x', decimal(now + ttl), 't', decimal(ttl), 'm', decimal(now))
redis.call('HDEL', KEYS[1], 'want', 'wx', 'n')
return acquired(nextEpoch)
