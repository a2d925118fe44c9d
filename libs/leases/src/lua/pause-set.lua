-- KEYS: pauses. ARGV: mapping, ms until it ends or -, by and reason as JSON.
local untilMs = ARGV[2] == '-' and '-' or decimal(now + ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], decimal(now) .. ' ' .. untilMs .. ' ' .. ARGV[3])
return 1
