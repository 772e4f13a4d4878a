-- Takes an attempt back under the first keys, so that nobody waits for it, and forgets what was counted under the others.
--
-- Number: how many keys the first ones are.
for place, key in ipairs(KEYS) do
    if place > tonumber(ARGV[1]) then
        redis.call('UNLINK', key)
    else
        local text = redis.pcall('GETRANGE', key, 0, 63)
        local level, at, wait
        if type(text) == 'string' then
            level, at, wait = string.match(text, '^(%d+) (%d+) (%d+)$')
        end
        if level then
            at = math.max(tonumber(at) - math.min(tonumber(wait), 900) * 1000000, 0)
            local left = string.format('%.0f %.0f %s', math.max(tonumber(level) - 1000, 0), at, wait)
            redis.call('SET', key, left, 'KEEPTTL')
        end
    end
end
return {}
