-- Announces events that were stored to those who watch. The id of an entry is the number of events that were
-- announced up to it, so that a reader knows how many it has missed.
--
-- KEYS: the stream of what is watched
-- ARGV: how many events were stored; the newest of them; the number of entries to keep; the milliseconds after
--       which the stream is forgotten

local newest = redis.call("xrevrange", KEYS[1], "+", "-", "count", 1)[1]
local total = ARGV[1] + (newest and newest[1]:match("^%d+") or 0)
redis.call(
    "xadd", KEYS[1], "maxlen", ARGV[3], string.format("%.0f-0", total), "n", ARGV[1], "e", ARGV[2]
)
redis.call("pexpire", KEYS[1], ARGV[4])
