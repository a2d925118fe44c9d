-- KEYS: leases of one partition. Reply: ten values per lease:
-- owner, epoch (-1: the row is corrupt), live 0/1, checkpoint|nil, ended 0/1, wanted by|nil, ms since it moved (-1: never),
-- weight|nil, ms since its checkpoint was written (-1: never), note of a live owner|nil.
-- The window is left where it is: it may be a mebibyte, and this script runs each second.
local view = {}
for i = 1, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 'o', 'e', 'x', 't', 'c', 'cs', 'want', 'wx', 'm', 'g', 'ct', 'n')
  local owner, expiry = row[1] or '', tonumber(row[3] or '0')
  local epoch = tonumber(row[2] or '0')
  if not expiry or not epoch or (not row[2] and redis.call('EXISTS', KEYS[i]) == 1) then
    epoch, expiry = -1, 0
  end
  local ttl = tonumber(row[4] or '') or expiry
  local live = owner ~= '' and expiry > now and expiry - now <= 4 * ttl
  local movedAt, writtenAt = tonumber(row[9] or ''), tonumber(row[11] or '')
  local at = #view
  view[at + 1] = owner
  view[at + 2] = epoch
  view[at + 3] = live and 1 or 0
  view[at + 4] = row[5]
  view[at + 5] = row[6] == 'END' and 1 or 0
  view[at + 6] = (tonumber(row[8] or '0') or 0) > now and row[7]
  view[at + 7] = movedAt and math.max(0, now - movedAt) or -1
  view[at + 8] = row[10]
  view[at + 9] = writtenAt and math.max(0, now - writtenAt) or -1
  view[at + 10] = live and row[12]
end
return view
