-- KEYS: lease. ARGV: me, epoch, checkpoint, window. Reply: 1 written, 0 fenced, -1 regression.
-- The expiry does not matter here: while the epoch is unchanged nobody else has had the lease.
local row = redis.call('HMGET', KEYS[1], 'o', 'e', 'c', 'cs')
if row[1] ~= ARGV[1] or row[2] ~= ARGV[2] or row[4] == 'END' then
  return 0
end

local function isSequenceNumber(text)
  return string.find(text, '^[0-9]+$') ~= nil
end

-- By length, then by bytes: sequence numbers exceed 2^53, and Lua's own < follows the server's locale.
local function isLower(a, b)
  if #a ~= #b then
    return #a < #b
  end
  for i = 1, #a do
    if a:byte(i) ~= b:byte(i) then
      return a:byte(i) < b:byte(i)
    end
  end
  return false
end

-- A position that is no sequence number (TRIM_HORIZON, a time) is where a shard begins: it is lower than each of them.
local current = row[3]
if current and isSequenceNumber(current) and (not isSequenceNumber(ARGV[3]) or isLower(ARGV[3], current)) then
  return -1
end
redis.call('HSET', KEYS[1], 'c', ARGV[3], 'w', ARGV[4], 'ct', decimal(now))
return 1
