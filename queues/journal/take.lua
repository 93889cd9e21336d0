-- Leases the lane that has been ready longest and reads its oldest entries. Lanes without entries are removed.
--
-- KEYS: the lanes that are ready, the leases, the number of the latest lease
-- ARGV: the lease in milliseconds; the most entries; the most bytes of entries; the format to join; the
--       prefixes of journals and of held companies
-- Returns: milliseconds until a lane is ready, or -1 if none has entries. Or: 0, the lane, the number of the
--          lease, the id of the last entry read, the ids of the entries in that format, the entries joined by
--          commas, for each entry in another format its id and content, the companies that are held

local CHUNK = 100
local LONGEST_PAUSE = 60000

local function clock()
    local time = redis.call("time")
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local now = clock()

-- A time beyond the longest pause was written before the machine's clock was set back.
local function next_lane()
    local beyond = redis.call("zrangebyscore", KEYS[1], "(" .. (now + LONGEST_PAUSE), "+inf", "limit", 0, 1)
    if beyond[1] then
        return beyond[1], 0
    end
    local first = redis.call("zrange", KEYS[1], 0, 0, "withscores")
    if not first[1] then
        return nil, -1
    end
    return first[1], math.max(0, tonumber(first[2]) - now)
end

local function read(journal)
    local ids, entries, odd, last, bytes, from = {}, {}, {}, "", 0, "-"
    while true do
        local chunk = redis.call("xrange", journal, from, "+", "count", CHUNK)
        for _, entry in ipairs(chunk) do
            local content = entry[2]
            last = entry[1]
            if content[1] == ARGV[4] then
                ids[#ids + 1] = last
                entries[#entries + 1] = content[2]
            else
                odd[#odd + 1] = last
                odd[#odd + 1] = content
            end
            bytes = bytes + #content[2]
            if #ids + #odd / 2 >= tonumber(ARGV[2]) or bytes >= tonumber(ARGV[3]) then
                return ids, entries, odd, last
            end
        end
        if #chunk < CHUNK then
            return ids, entries, odd, last
        end
        from = "(" .. last
    end
end

-- Redis refuses the first write of a script if memory is full and the command may need some. Workers must go
-- on then: they free memory. So the first write is one that never needs any.
redis.call("unlink", KEYS[3] .. ":none")

while true do
    local lane, wait = next_lane()
    if wait ~= 0 then
        return {wait}
    end
    local ids, entries, odd, last = read(ARGV[5] .. lane)
    local organization = lane:match("^%d+")
    if last ~= "" then
        local lease = redis.call("incr", KEYS[3])
        redis.call("hset", KEYS[2], lane, lease)
        redis.call("zadd", KEYS[1], now + tonumber(ARGV[1]), lane)
        local held = redis.call("smembers", ARGV[6] .. organization)
        return {0, lane, lease, last, table.concat(ids, " "), table.concat(entries, ","), odd, held}
    end
    redis.call("del", ARGV[5] .. lane)
    redis.call("zrem", KEYS[1], lane)
    local company = lane:match("^%d+:%d+:(.*)$")
    if company then
        redis.call("srem", ARGV[6] .. organization, company)
    end
end
