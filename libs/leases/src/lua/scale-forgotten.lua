-- KEYS: noted mappings, most slots. ARGV: quiet ms, how many. Reply: id, slots per mapping nobody has noted for so long.
local list = {}
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', decimal(now - ARGV[1]), 'LIMIT', 0, ARGV[2])
for i = 1, #ids do
  list[#list + 1] = ids[i]
  list[#list + 1] = redis.call('HGET', KEYS[2], ids[i]) or '0'
end
return list
