-- KEYS: gate. ARGV: wait ms, failures, reason, ms after which an open gate nobody touches is forgotten.
local row = redis.call('HMGET', KEYS[1], 's', 'u', 'f')
local untilMs, failures = now + ARGV[1], tonumber(ARGV[2])
if row[1] == 'open' then
  untilMs = math.max(untilMs, tonumber(row[2]) or 0)
  failures = math.max(failures, tonumber(row[3]) or 0)
end
redis.call('HSET', KEYS[1], 's', 'open', 'u', decimal(untilMs), 'f', decimal(failures), 'r', ARGV[3])
redis.call('HDEL', KEYS[1], 'px')
redis.call('PEXPIRE', KEYS[1], decimal(untilMs - now + ARGV[4]))
return 1
