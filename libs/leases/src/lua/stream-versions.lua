-- KEYS: streams of mappings of one partition. ARGV: the version that the caller knows of each, or ''.
-- Reply per mapping: nil without a register, 1 if the known version is the present one, else the key of the present stream.
local list = {}
for i = 1, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 'v', 'p')
  list[i] = row[2] and (row[1] == ARGV[i] and 1 or row[2])
end
return list
