-- Put before every script. Time is Redis's own, so that pollers' clocks never meet.
-- Errors carry no caller data: nothing here calls redis.error_reply.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Numbers are stored as plain decimal strings; Lua's own tostring would write 1.7e+12.
local function decimal(number)
  return string.format('%.0f', number)
end
