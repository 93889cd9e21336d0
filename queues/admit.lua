-- Counts a request in its organization's fixed window and, unless the limit is exceeded, puts its
-- message on a queue as Dramatiq's own dispatch.lua does. All in one step: a message is queued if
-- and only if its request was counted.
--
-- KEYS: the window's counter, the queue, the queue's messages
-- ARGV: the limit, the window in milliseconds, and with a message its id and data
-- Returns: requests in the window with this one, milliseconds until it ends

local count = redis.call("incr", KEYS[1])
local ends_in = redis.call("pttl", KEYS[1])
if ends_in < 0 then
    ends_in = tonumber(ARGV[2])
    redis.call("pexpire", KEYS[1], ends_in)
end

if ARGV[3] and count <= tonumber(ARGV[1]) then
    redis.call("hset", KEYS[3], ARGV[3], ARGV[4])
    redis.call("rpush", KEYS[2], ARGV[3])
end

return {count, ends_in}
