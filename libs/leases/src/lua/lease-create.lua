-- KEYS: leases of one partition. Creates the rows that are not there yet, to be read from their beginning.
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('HSET', KEYS[i], 'o', '', 'e', '0', 'x', '0', 'c', 'TRIM_HORIZON')
  end
end
return #KEYS
