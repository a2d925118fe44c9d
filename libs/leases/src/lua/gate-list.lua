-- KEYS: gates. Reply: five values per gate that is not simply closed: index, state, ms to wait, failures, reason.
local list = {}
for i = 1, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 's', 'u', 'px', 'f', 'r')
  if row[1] then
    local wait = math.max(0, (tonumber(row[2]) or 0) - now)
    if row[1] == 'open' then
      wait = math.max(wait, (tonumber(row[3] or '0') or 0) - now)
    end
    if row[1] == 'open' or wait > 0 then
      local at = #list
      list[at + 1] = i - 1
      list[at + 2] = row[1]
      list[at + 3] = wait
      list[at + 4] = tonumber(row[4] or '0') or 0
      list[at + 5] = row[5] or ''
    end
  end
end
return list
