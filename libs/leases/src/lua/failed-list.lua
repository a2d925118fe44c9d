-- KEYS: order, facts, rows. ARGV: time and id of the batch to go on after (empty to begin with the oldest), name or '', mapping or
-- its UUID or '', how many to return, how many to look at.
-- Reply: 1 if there may be more behind, time and id of the last one looked at, then the rows that fit.
local atMs, after, name, mapping = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local wanted, looked = tonumber(ARGV[5]), tonumber(ARGV[6])

-- As Redis orders ids of one time: by bytes. Lua's own < follows the server's locale.
local function isBefore(a, b)
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then
      return a:byte(i) < b:byte(i)
    end
  end
  return #a < #b
end

local start = 0
if after ~= '' then
  local rank = redis.call('ZRANK', KEYS[1], after)
  if rank then
    start = rank + 1
  else
    start = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. atMs)
    local ties = redis.call('ZRANGEBYSCORE', KEYS[1], atMs, atMs)
    for i = 1, #ties do
      start = start + (isBefore(ties[i], after) and 1 or 0)
    end
  end
end

local list = {0, atMs, after}
local batches = redis.call('ZRANGE', KEYS[1], start, start + looked - 1, 'WITHSCORES')
for i = 1, #batches, 2 do
  local id, fits = batches[i], true
  if name ~= '' or mapping ~= '' then
    local itsName, itsUuid, itsMapping = string.match(redis.call('HGET', KEYS[2], id) or '', '^%d+\n([^\n]*)\n([^\n]*)\n(.*)$')
    fits = (name == '' or itsName == name) and (mapping == '' or itsMapping == mapping or itsUuid == mapping)
  end
  if fits then
    list[#list + 1] = redis.call('HGET', KEYS[3], id) or ''
  end
  list[2], list[3] = batches[i + 1], id
  if #list - 3 == wanted then
    break
  end
end
if #batches == 2 * looked or #list - 3 == wanted then
  list[1] = 1
end
return list
