-- Keeps refused requests, and counts event keys that are not configured: one step for both, since most refused
-- events have such a key.
--
-- Refused requests are kept in a stream for each organization, up to a number and a size; the oldest make room.
-- The lists of all organizations have a size too: beyond it, the list that was added to longest ago is dropped.
-- While Redis is nearly full, that list is dropped as well, and nothing is kept: accepted events need the memory.
-- Keys: up to a number for each organization; a new one replaces the one that was refused longest ago.
--
-- KEYS: the organization's hash, from event key to 'times first last'; the sorted set of organizations with a
--       list, by the time of the newest entry; the hash of the sizes of their lists, with the size of all as `all`
-- ARGV: the organization; the time in milliseconds since 1970; the number of event keys to keep; the milliseconds
--       after which a key is forgotten; how many keys follow, and each with how often it was refused; then the
--       prefix of the lists; the requests to keep in a list, their bytes, and the bytes of all lists; the
--       milliseconds for which a request is kept; 1 if Redis is nearly full, otherwise 0; then each request and
--       its body

local keys, lists, sizes = KEYS[1], KEYS[2], KEYS[3]
local organization, now, most_keys, keys_kept, number = unpack(ARGV, 1, 5)
most_keys, keys_kept, number = tonumber(most_keys), tonumber(keys_kept), tonumber(number)

local function drop_oldest_key()
    local fields = redis.call("hgetall", keys)
    local oldest, oldest_at
    for i = 1, #fields, 2 do
        local at = tonumber(fields[i + 1]:match("(%d+)$"))
        if not oldest_at or at < oldest_at then
            oldest, oldest_at = fields[i], at
        end
    end
    redis.call("hdel", keys, oldest)
end

local function count_key(key, times)
    local first = now
    local value = redis.call("hget", keys, key)
    if value then
        local before, since, last = value:match("^(%d+) (%d+) (%d+)$")
        if tonumber(now) - tonumber(last) < keys_kept then
            times, first = times + tonumber(before), since
        end
    elseif redis.call("hlen", keys) >= most_keys then
        drop_oldest_key()
    end
    redis.call("hset", keys, key, string.format("%d %s %s", times, first, now))
end

for i = 6, 5 + 2 * number, 2 do
    count_key(ARGV[i], tonumber(ARGV[i + 1]))
end
if number > 0 then
    redis.call("pexpire", keys, keys_kept)
end

local next_argument = 6 + 2 * number
local prefix = ARGV[next_argument]
local most, most_bytes, most_of_all, kept, nearly_full = unpack(ARGV, next_argument + 1, next_argument + 5)
most, most_bytes, most_of_all, kept = tonumber(most), tonumber(most_bytes), tonumber(most_of_all), tonumber(kept)
next_argument = next_argument + 6
if next_argument > #ARGV then
    return
end

local function drop_list(of)
    redis.call("unlink", prefix .. of)
    redis.call("hincrby", sizes, "all", -(tonumber(redis.call("hget", sizes, of)) or 0))
    redis.call("hdel", sizes, of)
    redis.call("zrem", lists, of)
end

if nearly_full == "1" then
    local oldest = redis.call("zrange", lists, 0, 0)[1]
    if oldest then
        drop_list(oldest)
    end
    return
end

local time = redis.call("time")
local milliseconds = time[1] * 1000 + math.floor(time[2] / 1000)
local forgotten_before = milliseconds - kept
local cutoff = string.format("%.0f", forgotten_before)
for _, of in ipairs(redis.call("zrangebyscore", lists, "-inf", cutoff, "limit", 0, 10)) do
    drop_list(of)
end

local list = prefix .. organization
local size = tonumber(redis.call("hget", sizes, organization)) or 0
local size_before = size
local entries = redis.call("exists", list) == 1 and redis.call("xlen", list) or 0
if entries == 0 then
    size = 0
end

for i = next_argument, #ARGV, 2 do
    redis.call("xadd", list, "*", "r", ARGV[i], "b", ARGV[i + 1])
    size, entries = size + #ARGV[i] + #ARGV[i + 1], entries + 1
end

local function is_over(entry)
    return entries > most or size > most_bytes or tonumber(entry[1]:match("^%d+")) < forgotten_before
end

local oldest = redis.call("xrange", list, "-", "+", "count", 1)[1]
while oldest and is_over(oldest) do
    redis.call("xdel", list, oldest[1])
    size, entries = size - #oldest[2][2] - #oldest[2][4], entries - 1
    oldest = redis.call("xrange", list, "-", "+", "count", 1)[1]
end

redis.call("pexpire", list, kept)
redis.call("hset", sizes, organization, size)
redis.call("hincrby", sizes, "all", size - size_before)
redis.call("zadd", lists, string.format("%.0f", milliseconds), organization)

local function size_of_all()
    -- Redis allocates 4 KB for a stream, however little is in it.
    return tonumber(redis.call("hget", sizes, "all")) + 4096 * redis.call("zcard", lists)
end

while size_of_all() > most_of_all do
    local first = redis.call("zrange", lists, 0, 0)[1]
    if not first or first == organization then
        break
    end
    drop_list(first)
end
