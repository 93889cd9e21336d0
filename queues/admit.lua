-- Counts requests in the fixed windows of their organizations and, unless a limit is exceeded or Redis is nearly
-- full, appends their events to the journal. It is one step, so events are accepted if and only if their request
-- was counted, and a lane has its entries in the order in which they were accepted.
--
-- KEYS: the lanes that are ready, the bell; then, for each window, its counter and the journals of the
--       organization's lanes
-- ARGV: the share of memory above which Redis is nearly full, or the result of an earlier check, "yes" or "no";
--       the length of the bell; the format of the events; the number of lanes; then, for each window, its
--       organization, limit and milliseconds, the number of its requests, and for each of them the number of
--       its events, and the lane and content of each
-- Returns: 1 if Redis is nearly full; then, for each window, the requests in it including all of these, or an
--          error of its keys, and milliseconds until it ends

local full_above, bell_length, format, lanes = unpack(ARGV, 1, 4)

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

local time = redis.call("time")
local microseconds = string.format("%s%06d", time[1], time[2])
local milliseconds = microseconds:sub(1, -4)
local became_ready = 0

-- Appends `number` events from an argument on to the journals that begin at a key. Returns an error of these
-- keys, and nothing if there is none.
local function append_events(first, number, journals, organization)
    local seen = {}
    for i = first, first + 2 * number - 1, 2 do
        local number_of_lane = ARGV[i]
        local journal = KEYS[journals + tonumber(number_of_lane)]
        local id = redis.pcall("xadd", journal, "*", format, ARGV[i + 1], "t", microseconds)
        if type(id) == "table" and id.err then
            return id
        end
        if not seen[number_of_lane] then
            seen[number_of_lane] = true
            local lane = organization .. ":" .. number_of_lane
            became_ready = became_ready + redis.call("zadd", KEYS[1], "nx", milliseconds, lane)
        end
    end
end

local full = full_above == "yes"
if not full and full_above ~= "no" then
    full = nearly_full(tonumber(full_above))
end

local reply = {full and 1 or 0}
local key, next_argument = 3, 5
while key <= #KEYS do
    local organization, limit, window, requests = unpack(ARGV, next_argument, next_argument + 3)
    -- An error of one organization's keys must not cost the others.
    local count = redis.pcall("incrby", KEYS[key], requests)
    local fault = type(count) == "table" and count or nil
    local ends_in = fault and 0 or redis.call("pttl", KEYS[key])
    -- It ends later than a window lasts if the machine's clock was set back.
    if not fault and (ends_in < 0 or ends_in > tonumber(window)) then
        ends_in = tonumber(window)
        redis.call("pexpire", KEYS[key], ends_in)
    end
    next_argument = next_argument + 4
    for number = 1, tonumber(requests) do
        local events = tonumber(ARGV[next_argument])
        if not fault and not full and count - requests + number <= tonumber(limit) then
            fault = append_events(next_argument + 1, events, key + 1, organization)
        end
        next_argument = next_argument + 1 + 2 * events
    end
    reply[#reply + 1] = fault or count
    reply[#reply + 1] = ends_in
    key = key + 1 + tonumber(lanes)
end

if became_ready > 0 and redis.call("llen", KEYS[2]) < tonumber(bell_length) then
    redis.call("lpush", KEYS[2], 1)
end
return reply
