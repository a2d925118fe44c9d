-- KEYS: scale rows. Reply per row: the stored wish, or nil.
local list = {}
for i = 1, #KEYS do
  list[i] = redis.call('HGET', KEYS[i], 'd')
end
return list
