-- KEYS: scopes of one partition (sorted sets: token -> expiry). ARGV: token, ttl ms, then the limit of each scope.
-- Reply: 1 one permit taken in every scope, 0 none taken anywhere.
local token, ttl = ARGV[1], tonumber(ARGV[2])
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', decimal(now))
  if not redis.call('ZSCORE', KEYS[i], token) and redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 2]) then
    return 0
  end
end
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], 'GT', decimal(now + ttl), token)
  -- The key goes when its last permit has gone. PEXPIRE GT would never set a first expiry.
  if redis.call('PTTL', KEYS[i]) < ttl then
    redis.call('PEXPIRE', KEYS[i], decimal(ttl))
  end
end
return 1
