-- Forgets refused requests of an organization.
--
-- KEYS: the organization's list; the sorted set of organizations with a list; the hash of the sizes of the lists
-- ARGV: the organization; then the ids of the requests, or nothing to forget its list
-- Returns: how many requests were forgotten

local list, lists, sizes, organization = KEYS[1], KEYS[2], KEYS[3], ARGV[1]

if #ARGV > 1 then
    local forgotten, freed = 0, 0
    for i = 2, #ARGV do
        local entry = redis.call("xrange", list, ARGV[i], ARGV[i])[1]
        if entry then
            redis.call("xdel", list, ARGV[i])
            forgotten, freed = forgotten + 1, freed + #entry[2][2] + #entry[2][4]
        end
    end
    if redis.call("hexists", sizes, organization) == 1 then
        redis.call("hincrby", sizes, organization, -freed)
        redis.call("hincrby", sizes, "all", -freed)
    end
    return forgotten
end

local entries = redis.call("exists", list) == 1 and redis.call("xlen", list) or 0
redis.call("unlink", list)
redis.call("hincrby", sizes, "all", -(tonumber(redis.call("hget", sizes, organization)) or 0))
redis.call("hdel", sizes, organization)
redis.call("zrem", lists, organization)
return entries
