-- KEYS: epoch floor of the partition, then leases. Removes rows that no live owner holds.
-- The floor rises with them, so that a unit that comes back never repeats an epoch.
local floor = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local highest = floor
for i = 2, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 'o', 'e', 'x', 't')
  local expiry = tonumber(row[3] or '0') or 0
  local ttl = tonumber(row[4] or '') or expiry
  if not (row[1] and row[1] ~= '' and expiry > now and expiry - now <= 4 * ttl) then
    highest = math.max(highest, tonumber(row[2] or '0') or 0)
    redis.call('DEL', KEYS[i])
  end
end
if highest > floor then
  redis.call('SET', KEYS[1], decimal(highest))
end
return 1
