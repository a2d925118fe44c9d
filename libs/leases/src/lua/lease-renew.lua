-- KEYS: leases of one partition. ARGV: me, ttl ms, the epoch of each lease (one text, separated by spaces: a text of its own
-- for each costs the caller more than taking this one apart costs here), and, if any of them has one, the weight of each in the
-- same way, with - for none.
-- Reply per lease: 0 lost, 1 renewed, 2 renewed and wanted by another.
local me, ttl = ARGV[1], ARGV[2]
local expiry = decimal(now + ttl)
local results = {}
local nextEpoch = string.gmatch(ARGV[3], '%d+')
local nextWeight = ARGV[4] and string.gmatch(ARGV[4], '%S+')
for i = 1, #KEYS do
  local epoch, weight = nextEpoch(), nextWeight and nextWeight()
  local row = redis.call('HMGET', KEYS[i], 'o', 'e', 'x', 'wx')
  if row[1] == me and row[2] == epoch and (tonumber(row[3]) or 0) > now then
    if weight and weight ~= '-' then
      redis.call('HSET', KEYS[i], 'x', expiry, 't', ttl, 'g', weight)
    else
      redis.call('HSET', KEYS[i], 'x', expiry, 't', ttl)
    end
    results[i] = (tonumber(row[4] or '0') or 0) > now and 2 or 1
  else
    results[i] = 0
  end
end
return results
