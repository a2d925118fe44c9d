-- KEYS: streams of the mapping, shards of the stream to remove. ARGV: key of that stream.
redis.call('UNLINK', KEYS[2])
redis.call('HDEL', KEYS[1], 'i:' .. ARGV[1])
if redis.call('HGET', KEYS[1], 'p') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'p', 'v')
end
-- What is left then is the count of changes.
if redis.call('HLEN', KEYS[1]) == 1 then
  redis.call('DEL', KEYS[1])
end
return 1
