-- Reads how much waits in each lane and since when.
--
-- KEYS: the lanes that are ready
-- ARGV: the prefix of journals
-- Returns: the present, and for each lane with entries its name, their number, and when the oldest was
--          accepted, or 0 if that is unknown: it has no time, or one that is ahead of the clock, which was set
--          back since. Times are in microseconds since 1970

local time = redis.call("time")
local microseconds = string.format("%s%06d", time[1], time[2])
local found = {microseconds}
for _, lane in ipairs(redis.call("zrange", KEYS[1], 0, -1)) do
    local oldest = redis.call("xrange", ARGV[1] .. lane, "-", "+", "count", 1)[1]
    if oldest then
        local content = oldest[2]
        found[#found + 1] = lane
        found[#found + 1] = redis.call("xlen", ARGV[1] .. lane)
        local accepted_at = content[#content]:match("^%d+$")
        local is_past = accepted_at and tonumber(accepted_at) <= tonumber(microseconds)
        found[#found + 1] = is_past and accepted_at or 0
    end
end
return found
