-- Appends entries to lanes.
--
-- KEYS: the lanes that are ready, the bell
-- ARGV: the length of the bell; the prefix of lanes; the format of the entries; then, for each entry, its lane and
--       itself

redis.call("unlink", KEYS[1] .. ":none")  -- workers go on although memory is full: see take.lua

local time = redis.call("time")
local microseconds = string.format("%s%06d", time[1], time[2])
local became_ready = 0
for i = 4, #ARGV, 2 do
    redis.call("xadd", ARGV[2] .. ARGV[i], "*", ARGV[3], ARGV[i + 1], "t", microseconds)
    became_ready = became_ready + redis.call("zadd", KEYS[1], "nx", microseconds:sub(1, -4), ARGV[i])
end
if became_ready > 0 and redis.call("llen", KEYS[2]) < tonumber(ARGV[1]) then
    redis.call("lpush", KEYS[2], 1)
end
