-- Takes an attempt back under the first keys, and forgets what was counted under the others.
--
-- Number: how many keys the first ones are.
for place, key in ipairs(KEYS) do
    if place > tonumber(ARGV[1]) then
        redis.call('UNLINK', key)
    else
        local text = redis.pcall('GETRANGE', key, 0, 63)
        local level, rest
        if type(text) == 'string' then
            level, rest = string.match(text, '^(%d+)( %d+ %d+)$')
        end
        if level then
            redis.call('SET', key, string.format('%.0f', math.max(tonumber(level) - 1000, 0)) .. rest, 'KEEPTTL')
        end
    end
end
return {}
