-- KEYS: leases of one partition. Reply: seven values per lease:
-- owner, epoch (-1: the row is corrupt), live 0/1, checkpoint|nil, ended 0/1, wanted by|nil, ms since it moved (-1: never).
local view = {}
for i = 1, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 'o', 'e', 'x', 't', 'c', 'cs', 'want', 'wx', 'm')
  local owner, expiry = row[1] or '', tonumber(row[3] or '0')
  local epoch = tonumber(row[2] or '0')
  if not expiry or not epoch or (not row[2] and redis.call('EXISTS', KEYS[i]) == 1) then
    epoch, expiry = -1, 0
  end
  local ttl = tonumber(row[4] or '') or expiry
  local at = #view
  view[at + 1] = owner
  view[at + 2] = epoch
  view[at + 3] = (owner ~= '' and expiry > now and expiry - now <= 4 * ttl) and 1 or 0
  view[at + 4] = row[5]
  view[at + 5] = row[6] == 'END' and 1 or 0
  view[at + 6] = (tonumber(row[8] or '0') or 0) > now and row[7]
  view[at + 7] = tonumber(row[9] or '') and math.max(0, now - tonumber(row[9])) or -1
end
return view
