-- KEYS: members, member rows. Reply: three values per live member: token, ms until its deadline, row.
local list = {}
local alive = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. decimal(now), '+inf', 'WITHSCORES')
for i = 1, #alive, 2 do
  local row = redis.call('HGET', KEYS[2], alive[i])
  if row then
    list[#list + 1] = alive[i]
    list[#list + 1] = alive[i + 1] - now
    list[#list + 1] = row
  end
end
return list
