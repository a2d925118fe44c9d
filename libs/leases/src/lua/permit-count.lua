-- KEYS: scope. Reply: permits that have not expired.
return redis.call('ZCOUNT', KEYS[1], '(' .. decimal(now), '+inf')
