-- KEYS: streams of the mapping (hash: p present stream, v version of its register, n count of changes, i:<key>
-- identity of each stream), shards of this stream (hash: shard id -> "<parents>|<missing since ms>|<r if retired>").
-- ARGV: key of this stream, its identity, since when shards are missing, then three for each step: what, shard id, parents.
local key, isAltered = ARGV[1], 0

local function shardOf(id)
  local text = redis.call('HGET', KEYS[2], id)
  if text then
    return string.match(text, '^([^|]*)|(%d*)|(r?)$')
  end
end

local function store(id, parents, missing, retired)
  redis.call('HSET', KEYS[2], id, parents .. '|' .. missing .. '|' .. retired)
  isAltered = 1
end

for i = 4, #ARGV, 3 do
  local step, id = ARGV[i], ARGV[i + 1]
  if step == 'register' then
    isAltered = math.max(isAltered, redis.call('HSETNX', KEYS[2], id, ARGV[i + 2] .. '||'))
  elseif step == 'unregister' then
    isAltered = math.max(isAltered, redis.call('HDEL', KEYS[2], id))
  else
    local parents, missing, retired = shardOf(id)
    if parents and step == 'missing' and missing == '' then
      store(id, parents, ARGV[3], retired)
    elseif parents and step == 'foundAgain' and missing .. retired ~= '' then
      store(id, parents, '', '')
    elseif parents and step == 'retire' and retired == '' then
      store(id, parents, missing, 'r')
    end
  end
end

if isAltered == 1 or redis.call('HGET', KEYS[1], 'p') ~= key then
  -- With Redis's time: a count alone comes again after a wipe, and after a failover to a replica that was behind.
  local version = clock[1] .. '.' .. clock[2] .. '-' .. redis.call('HINCRBY', KEYS[1], 'n', 1)
  redis.call('HSET', KEYS[1], 'p', key, 'v', version, 'i:' .. key, ARGV[2])
end
return 1
