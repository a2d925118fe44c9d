-- KEYS: leases of one partition. ARGV: position and ended (1 or 0) of each.
-- Creates the rows that are not there, and gives a position to those that have none. A row that cannot be understood stays as it is.
for i = 1, #KEYS do
  local row = redis.call('HMGET', KEYS[i], 'e', 'c', 'x')
  local isMissing = not row[1] and redis.call('EXISTS', KEYS[i]) == 0
  if isMissing then
    redis.call('HSET', KEYS[i], 'o', '', 'e', '0', 'x', '0')
  end
  if isMissing or (not row[2] and tonumber(row[1] or '') and tonumber(row[3] or '0')) then
    redis.call('HSET', KEYS[i], 'c', ARGV[2 * i - 1])
    if ARGV[2 * i] == '1' then
      redis.call('HSET', KEYS[i], 'cs', 'END')
    end
  end
end
return #KEYS
