-- Moves entries of a company from a leased partition to a lane of its own, in order.
--
-- KEYS: the leases, the partition's journal, the company's journal, the held companies of the organization,
--       the lanes that are ready
-- ARGV: the partition; the number of its lease; the company's lane; the company; the pause in milliseconds;
--       then the ids of the entries
-- Returns: 1, or 0 if the lease is over and nothing was changed

if redis.call("hget", KEYS[1], ARGV[1]) ~= ARGV[2] then
    return 0
end
redis.call("unlink", KEYS[1] .. ":none")  -- workers go on although memory is full: see take.lua
for i = 6, #ARGV do
    local entry = redis.call("xrange", KEYS[2], ARGV[i], ARGV[i])[1]
    if entry then
        redis.call("xadd", KEYS[3], "*", unpack(entry[2]))
        redis.call("xdel", KEYS[2], ARGV[i])
    end
end
redis.call("sadd", KEYS[4], ARGV[4])
local time = redis.call("time")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call("zadd", KEYS[5], "nx", now + tonumber(ARGV[5]), ARGV[3])
return 1
