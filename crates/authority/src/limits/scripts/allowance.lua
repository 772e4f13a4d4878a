-- Takes one of an hour's allowance, which comes back evenly, as in `leaks/limiter.rs`.
--
-- Numbers: the moment in microseconds, or 0 for the clock of this server; the time in which one comes back, in microseconds.
-- Answer: the seconds to wait, or 0. A value is the moment from which on the whole allowance is there again.
local HOUR, LONGEST_WAIT = 3600000000, 900
local now, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
if now == 0 then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end

local function write(whole)
    redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', string.format('%.0f', math.ceil((whole - now) / 1000)))
end

local text = redis.pcall('GETRANGE', KEYS[1], 0, 31)
local whole = type(text) == 'string' and tonumber(string.match(text, '^%d+$') or 0) or 0
local after = math.max(math.min(whole, now + HOUR), now) + interval
local beyond = after - now - HOUR
if beyond > 0 then
    if whole > now + HOUR then
        -- From a clock that was ahead, or made up.
        write(now + HOUR - interval + math.min(interval, LONGEST_WAIT * 1000000))
    end
    return { math.min(math.ceil(beyond / 1000000), LONGEST_WAIT) }
end
write(after)
return { 0 }
