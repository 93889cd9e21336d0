-- Adds messages to a queue as Dramatiq's dispatch.lua does, and wakes as many consumers.
--
-- KEYS: the hash of messages, the list of their ids, the wake-up list
-- ARGV: the length of the wake-up list; then, for each message, its id and content

redis.call("unlink", KEYS[1] .. ":none")  -- workers go on although memory is full: see lanes/take.lua

for i = 2, #ARGV, 2 do
    redis.call("hset", KEYS[1], ARGV[i], ARGV[i + 1])
    redis.call("rpush", KEYS[2], ARGV[i])
    redis.call("lpush", KEYS[3], 1)
end
redis.call("ltrim", KEYS[3], 0, ARGV[1] - 1)
