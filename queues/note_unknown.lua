-- Records event keys that were refused, up to a limit for each organization: beyond it, a new key replaces
-- the one that was refused longest ago.
--
-- KEYS: the organization's hash, from event key to 'times first last'
-- ARGV: the time in milliseconds since 1970; the number of keys to keep; the milliseconds after which a key
--       is forgotten; then each event key and how often it was refused

local now, most, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function drop_oldest()
    local fields = redis.call("hgetall", KEYS[1])
    local oldest, oldest_at
    for i = 1, #fields, 2 do
        local at = tonumber(fields[i + 1]:match("(%d+)$"))
        if not oldest_at or at < oldest_at then
            oldest, oldest_at = fields[i], at
        end
    end
    redis.call("hdel", KEYS[1], oldest)
end

for i = 4, #ARGV, 2 do
    local key, times, first = ARGV[i], tonumber(ARGV[i + 1]), now
    local value = redis.call("hget", KEYS[1], key)
    if value then
        local before, since, last = value:match("^(%d+) (%d+) (%d+)$")
        if tonumber(now) - tonumber(last) < kept then
            times, first = times + tonumber(before), since
        end
    elseif redis.call("hlen", KEYS[1]) >= most then
        drop_oldest()
    end
    redis.call("hset", KEYS[1], key, string.format("%d %s %s", times, first, now))
end
redis.call("pexpire", KEYS[1], kept)
