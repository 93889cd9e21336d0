-- Leases the lane that has been ready longest, with the other lanes of its organization that are ready or
-- about to be, and reads their oldest entries. Lanes without entries are removed.
--
-- KEYS: the lanes that are ready, the leases, the number of the latest lease
-- ARGV: the lease in milliseconds; the most entries; the most bytes of entries; the format to join; the
--       prefixes of journals and of held companies; how many milliseconds too early a partition may be taken
--       together with another; the number of lanes of an organization
-- Returns: milliseconds until a lane is ready, or -1 if none has entries. Or: 0, the companies that are held,
--          and for each lane its name, the number of its lease, the id of the last entry read, the ids of the
--          entries in that format, when they were accepted in microseconds since 1970, the entries joined by
--          commas, and for each entry in another format its id and content

local CHUNK = 100

local lease_ms, most_entries, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call("time")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local microseconds = string.format("%s%06d", time[1], time[2])
local entries, bytes = 0, 0

-- No pause is longer than a lease. A time beyond that was written before the machine's clock was set back, and
-- the lane need not wait until then. A worker whose lease is ended so finds that out.
local function next_lane()
    local beyond = redis.call("zrangebyscore", KEYS[1], "(" .. (now + lease_ms), "+inf", "limit", 0, 1)
    if beyond[1] then
        return beyond[1], 0
    end
    local first = redis.call("zrange", KEYS[1], 0, 0, "withscores")
    if not first[1] then
        return nil, -1
    end
    return first[1], math.max(0, tonumber(first[2]) - now)
end

-- Returns when an entry was accepted. After the machine's clock was set back, that may be ahead of it.
local function time_of(content)
    local accepted_at = content[#content]:match("^%d+$")
    local is_past = accepted_at and tonumber(accepted_at) <= tonumber(microseconds)
    return is_past and accepted_at or microseconds
end

local function is_full()
    return entries >= most_entries or bytes >= most_bytes
end

local function read(journal)
    local ids, times, contents, odd, last, from = {}, {}, {}, {}, "", "-"
    while true do
        local chunk = redis.call("xrange", journal, from, "+", "count", CHUNK)
        for _, entry in ipairs(chunk) do
            local content = entry[2]
            last = entry[1]
            if content[1] == ARGV[4] then
                ids[#ids + 1] = last
                times[#times + 1] = time_of(content)
                contents[#contents + 1] = content[2]
            else
                odd[#odd + 1] = last
                odd[#odd + 1] = content
            end
            entries, bytes = entries + 1, bytes + #content[2]
            if is_full() then
                return last, ids, times, contents, odd
            end
        end
        if #chunk < CHUNK then
            return last, ids, times, contents, odd
        end
        from = "(" .. last
    end
end

-- Appends what is read from a lane to `taken`, or removes the lane if it has no entries.
local function take(lane, taken)
    local last, ids, times, contents, odd = read(ARGV[5] .. lane)
    if last == "" then
        redis.call("del", ARGV[5] .. lane)
        redis.call("zrem", KEYS[1], lane)
        local organization, company = lane:match("^(%d+):%d+:(.*)$")
        if company then
            redis.call("srem", ARGV[6] .. organization, company)
        end
        return
    end
    local lease = redis.call("incr", KEYS[3])
    redis.call("hset", KEYS[2], lane, lease)
    redis.call("zadd", KEYS[1], now + lease_ms, lane)
    local parts = {lane, lease, last, table.concat(ids, " "), table.concat(times, " "), table.concat(contents, ","), odd}
    for _, part in ipairs(parts) do
        taken[#taken + 1] = part
    end
end

local function may_come_along(lane)
    local ready_at = tonumber(redis.call("zscore", KEYS[1], lane) or "inf")
    local early = ready_at <= now + tonumber(ARGV[7])
    return ready_at <= now or early and redis.call("hexists", KEYS[2], lane) == 0
end

-- Redis refuses the first write of a script if memory is full and the command may need some. Workers must go
-- on then: they free memory. So the first write is one that never needs any.
redis.call("unlink", KEYS[3] .. ":none")

while true do
    local lane, wait = next_lane()
    if wait ~= 0 then
        return {wait}
    end
    local organization = lane:match("^%d+")
    local taken = {0, redis.call("smembers", ARGV[6] .. organization)}
    take(lane, taken)
    for partition = 0, tonumber(ARGV[8]) - 1 do
        local other = organization .. ":" .. partition
        if other ~= lane and not is_full() and may_come_along(other) then
            take(other, taken)
        end
    end
    if #taken > 2 then
        return taken
    end
end
