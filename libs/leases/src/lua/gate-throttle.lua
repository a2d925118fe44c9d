-- KEYS: gate. ARGV: wait ms, reason. An open gate stays open; a longer pause stays longer.
local row = redis.call('HMGET', KEYS[1], 's', 'u')
local untilMs = now + ARGV[1]
if row[1] == 'open' or (row[1] and (tonumber(row[2]) or 0) >= untilMs) then
  return 0
end
redis.call('HSET', KEYS[1], 's', 'closed', 'u', decimal(untilMs), 'r', ARGV[2])
redis.call('PEXPIRE', KEYS[1], decimal(math.max(1, untilMs - now)))
return 1
