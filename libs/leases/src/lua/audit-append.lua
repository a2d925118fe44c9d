-- KEYS: audit trail (list of JSON lines, the newest first). ARGV: line, how many are kept.
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
return 1
