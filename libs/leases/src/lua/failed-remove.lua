-- KEYS: order, facts, rows, counts, then per batch its event and where its place is remembered.
-- ARGV: for how many ms places are remembered, then ids. Reply: how many there were.
local removed = 0
for i = 2, #ARGV do
  local id = ARGV[i]
  local atMs = redis.call('ZSCORE', KEYS[1], id)
  if atMs then
    local bytes, name = string.match(redis.call('HGET', KEYS[2], id) or '', '^(%d+)\n([^\n]*)\n')
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
    redis.call('HDEL', KEYS[3], id)
    redis.call('UNLINK', KEYS[2 * i + 1])
    if name and redis.call('HINCRBY', KEYS[4], 'n:' .. name, -1) <= 0 then
      redis.call('HDEL', KEYS[4], 'n:' .. name, 'b:' .. name)
    elseif name then
      redis.call('HINCRBY', KEYS[4], 'b:' .. name, decimal(0 - bytes))
    end
    redis.call('SET', KEYS[2 * i + 2], atMs, 'PX', ARGV[1])
    removed = removed + 1
  end
end
return removed
