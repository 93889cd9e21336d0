-- Ends leases: removes the entries that are stored, and lets others take the lanes after a pause.
--
-- KEYS: the lanes that are ready, the leases, the bell, the journal of each lane
-- ARGV: the pause in milliseconds; the length of the bell; then, for each lane, its name, the number of the
--       lease, and the id of the first entry that stays, or "" if all stay
-- Returns: for each lane 1, or 0 if its lease is over and nothing was changed

redis.call("unlink", KEYS[1] .. ":none")  -- workers go on although memory is full: see take.lua

local time = redis.call("time")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local released = {}
for i = 4, #KEYS do
    local lane, lease, first_that_stays = unpack(ARGV, 3 * i - 9, 3 * i - 7)
    released[i - 3] = 0
    if redis.call("hget", KEYS[2], lane) == lease then
        redis.call("hdel", KEYS[2], lane)
        if first_that_stays ~= "" then
            redis.call("xtrim", KEYS[i], "minid", first_that_stays)
        end
        redis.call("zadd", KEYS[1], now + tonumber(ARGV[1]), lane)
        released[i - 3] = 1
    end
end
-- Those who found all lanes leased wait for the bell; now they wait for the end of the pause.
if redis.call("llen", KEYS[3]) < tonumber(ARGV[2]) then
    redis.call("lpush", KEYS[3], 1)
end
return released
