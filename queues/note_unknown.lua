-- Notes event keys that were refused, at most so many of an organization: a new one takes the place of
-- the one that was refused last the longest ago.
--
-- KEYS: the organization's hash, from event key to 'times first last'
-- ARGV: the time in milliseconds since 1970; how many keys are kept; after how many milliseconds one is
--       forgotten; then each event key and how often it was refused

local now, most, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function drop_longest_ago()
    local noted = redis.call("hgetall", KEYS[1])
    local oldest, oldest_at
    for i = 1, #noted, 2 do
        local at = tonumber(noted[i + 1]:match("(%d+)$"))
        if not oldest_at or at < oldest_at then
            oldest, oldest_at = noted[i], at
        end
    end
    redis.call("hdel", KEYS[1], oldest)
end

for i = 4, #ARGV, 2 do
    local key, times, first = ARGV[i], tonumber(ARGV[i + 1]), now
    local known = redis.call("hget", KEYS[1], key)
    if known then
        local before, since, last = known:match("^(%d+) (%d+) (%d+)$")
        if tonumber(now) - tonumber(last) < kept then
            times, first = times + tonumber(before), since
        end
    elseif redis.call("hlen", KEYS[1]) >= most then
        drop_longest_ago()
    end
    redis.call("hset", KEYS[1], key, string.format("%d %s %s", times, first, now))
end
redis.call("pexpire", KEYS[1], kept)
