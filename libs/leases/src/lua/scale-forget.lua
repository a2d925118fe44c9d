-- KEYS: noted mappings, most slots, scale row of the mapping. ARGV: id, quiet ms. Nothing happens if it was noted meanwhile.
local noted = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '')
if not noted or noted > now - ARGV[2] then
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
return 1
