-- KEYS: leases of one partition. ARGV: me, ttl ms, the epoch of each lease (one text, separated by spaces: a text of its own
-- for each costs the caller more than taking this one apart costs here).
-- Reply per lease: 0 lost, 1 renewed, 2 renewed and wanted by another.
local me, ttl = ARGV[1], ARGV[2]
local expiry = decimal(now + ttl)
local results = {}
local nextEpoch = string.gmatch(ARGV[3], '%d+')
for i = 1, #KEYS do
  local epoch = nextEpoch()
  local row = redis.call('HMGET', KEYS[i], 'o', 'e', 'x', 'wx')
  if row[1] == me and row[2] == epoch and (tonumber(row[3]) or 0) > now then
    redis.call('HSET', KEYS[i], 'x', expiry, 't', ttl)
    results[i] = (tonumber(row[4] or '0') or 0) > now and 2 or 1
  else
    results[i] = 0
  end
end
return results
