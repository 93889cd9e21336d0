-- Extends a lease.
--
-- KEYS: the lanes that are ready, the leases
-- ARGV: the lane; the number of the lease; the lease in milliseconds
-- Returns: 1, or 0 if the lease is over and nothing was changed

if redis.call("hget", KEYS[2], ARGV[1]) ~= ARGV[2] then
    return 0
end
redis.call("unlink", KEYS[1] .. ":none")  -- workers go on although memory is full: see take.lua
local time = redis.call("time")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call("zadd", KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
return 1
