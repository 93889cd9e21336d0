-- Ends a lease: removes the entries that are stored, and lets others take the lane after a pause.
--
-- KEYS: the lanes that are ready, the leases, the lane's journal
-- ARGV: the lane; the number of the lease; the id of the first entry that stays, or "" if all stay; the pause
--       in milliseconds
-- Returns: 1, or 0 if the lease is over and nothing was changed

if redis.call("hget", KEYS[2], ARGV[1]) ~= ARGV[2] then
    return 0
end
-- This comes first: Redis lets a script that has written go on although memory is full (see take.lua).
redis.call("hdel", KEYS[2], ARGV[1])
if ARGV[3] ~= "" then
    redis.call("xtrim", KEYS[3], "minid", ARGV[3])
end
local time = redis.call("time")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call("zadd", KEYS[1], now + tonumber(ARGV[4]), ARGV[1])
return 1
