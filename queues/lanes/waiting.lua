-- Reads how much waits in each lane and since when.
--
-- KEYS: the lanes that are ready
-- ARGV: the prefix of journals
-- Returns: for each lane with entries its name, their number, and when the oldest was accepted, in
--          microseconds since 1970

local found = {}
for _, lane in ipairs(redis.call("zrange", KEYS[1], 0, -1)) do
    local oldest = redis.call("xrange", ARGV[1] .. lane, "-", "+", "count", 1)[1]
    if oldest then
        local content = oldest[2]
        found[#found + 1] = lane
        found[#found + 1] = redis.call("xlen", ARGV[1] .. lane)
        found[#found + 1] = content[#content]
    end
end
return found
