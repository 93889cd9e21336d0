-- Counts a request in its organization's fixed window and, unless the limit is exceeded or Redis is nearly
-- full, adds its message to a queue as Dramatiq's dispatch.lua does. It is one step, so a message is enqueued
-- if and only if its request was counted.
--
-- KEYS: the window's counter, the queue, the queue's messages, the queue's wake-up list
-- ARGV: the limit; the window in milliseconds; the share of memory above which Redis is nearly full, or the
--       result of an earlier check, "yes" or "no"; the length of the wake-up list; with a message, its id and data
-- Returns: requests in the window including this one, milliseconds until it ends, 1 if Redis is nearly full

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

local count = redis.call("incr", KEYS[1])
local ends_in = redis.call("pttl", KEYS[1])
if ends_in < 0 then
    ends_in = tonumber(ARGV[2])
    redis.call("pexpire", KEYS[1], ends_in)
end

local full = ARGV[3] == "yes"
if not full and ARGV[3] ~= "no" then
    full = nearly_full(tonumber(ARGV[3]))
end

if ARGV[5] and not full and count <= tonumber(ARGV[1]) then
    redis.call("hset", KEYS[3], ARGV[5], ARGV[6])
    redis.call("rpush", KEYS[2], ARGV[5])
    if redis.call("llen", KEYS[4]) < tonumber(ARGV[4]) then
        redis.call("lpush", KEYS[4], 1)
    end
end

return {count, ends_in, full and 1 or 0}
