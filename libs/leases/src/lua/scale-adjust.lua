-- KEYS: scale row. ARGV: delta, initial, floor, ceiling, growth per minute. Reply: the wish after the change.
-- Growth is counted in windows of a minute that open with the first growth after the last window closed.
local row = redis.call('HMGET', KEYS[1], 'd', 'ws', 'wn')
local delta, floor, ceiling, growth = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local opened, used = tonumber(row[2] or '0') or 0, tonumber(row[3] or '0') or 0
local function clamp(number)
  return math.max(floor, math.min(ceiling, number))
end

-- New bounds apply at once; only growth beyond them is metered.
local desired = clamp(tonumber(row[1] or ARGV[2]) or tonumber(ARGV[2]))
if now - opened >= 60000 or opened > now then
  opened, used = now, 0
end
if delta > 0 then
  delta = math.max(0, math.min(delta, growth - used))
end
local after = clamp(desired + delta)
if after > desired then
  redis.call('HSET', KEYS[1], 'ws', decimal(opened), 'wn', decimal(used + after - desired))
end
redis.call('HSET', KEYS[1], 'd', decimal(after))
return after
