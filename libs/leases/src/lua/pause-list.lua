-- KEYS: pauses (hash: mapping -> "<from ms> <until ms, or -> <by and reason as JSON>"). Drops those that are over.
-- Reply: four values per pause: mapping, ms since it began, ms left (-1: no end), by and reason.
local list, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local from, untilMs, words = string.match(all[i + 1], '^(%d+) (%S+) (.*)$')
  if from and untilMs ~= '-' and tonumber(untilMs) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif from then
    local at = #list
    list[at + 1] = all[i]
    list[at + 2] = math.max(0, now - from)
    list[at + 3] = untilMs == '-' and -1 or untilMs - now
    list[at + 4] = words
  end
end
return list
