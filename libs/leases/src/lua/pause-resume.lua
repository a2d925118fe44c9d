-- KEYS: pauses. ARGV: mapping. Reply: 1 it was paused, 0 it was not.
local untilMs = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+ (%S+) ')
redis.call('HDEL', KEYS[1], ARGV[1])
return untilMs and (untilMs == '-' or tonumber(untilMs) > now) and 1 or 0
