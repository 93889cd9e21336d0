-- Counts a request in its organization's fixed window and, unless the limit is exceeded or Redis is nearly
-- full, appends its events to the journal. It is one step, so events are accepted if and only if their
-- request was counted, and a lane has its entries in the order in which they were accepted.
--
-- KEYS: the window's counter, the lanes that are ready, the bell, the journals of the organization's partitions
-- ARGV: the limit; the window in milliseconds; the share of memory above which Redis is nearly full, or the
--       result of an earlier check, "yes" or "no"; the length of the bell; the format of the events; the
--       organization; then, for each event, its partition and itself
-- Returns: requests in the window including this one, milliseconds until it ends, 1 if Redis is nearly full

local JOURNALS = 3
local FIRST_EVENT = 7

local function nearly_full(share)
    local info = redis.pcall("info", "memory")
    if type(info) ~= "string" then
        return false
    end
    local used = tonumber(info:match("used_memory:(%d+)"))
    local most = tonumber(info:match("maxmemory:(%d+)"))
    if most == 0 then
        most = tonumber(info:match("total_system_memory:(%d+)"))
    end
    return used and most and used > share * most
end

local function append_events()
    local time = redis.call("time")
    local microseconds = string.format("%s%06d", time[1], time[2])
    local milliseconds = microseconds:sub(1, -4)
    local became_ready = 0
    local seen = {}
    for i = FIRST_EVENT, #ARGV, 2 do
        local partition = tonumber(ARGV[i])
        redis.call("xadd", KEYS[JOURNALS + 1 + partition], "*", ARGV[5], ARGV[i + 1], "t", microseconds)
        if not seen[partition] then
            seen[partition] = true
            local lane = ARGV[6] .. ":" .. ARGV[i]
            became_ready = became_ready + redis.call("zadd", KEYS[2], "nx", milliseconds, lane)
        end
    end
    if became_ready > 0 and redis.call("llen", KEYS[3]) < tonumber(ARGV[4]) then
        redis.call("lpush", KEYS[3], 1)
    end
end

local count = redis.call("incr", KEYS[1])
local ends_in = redis.call("pttl", KEYS[1])
-- It ends later than a window lasts if the machine's clock was set back.
if ends_in < 0 or ends_in > tonumber(ARGV[2]) then
    ends_in = tonumber(ARGV[2])
    redis.call("pexpire", KEYS[1], ends_in)
end

local full = ARGV[3] == "yes"
if not full and ARGV[3] ~= "no" then
    full = nearly_full(tonumber(ARGV[3]))
end

if ARGV[FIRST_EVENT] and not full and count <= tonumber(ARGV[1]) then
    append_events()
end

return {count, ends_in, full and 1 or 0}
