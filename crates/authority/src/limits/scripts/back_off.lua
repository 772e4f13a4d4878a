-- Counts an attempt under every key, unless one of them makes it wait. The rules are those of `bucket.rs`.
--
-- Numbers: the moment in microseconds, or 0 for the clock of this server; then of each key the attempts that cost no wait, and
-- their window in microseconds. Answer: the seconds to wait, or 0; then of each key whether waiting begins with this attempt.
-- A value is `<level> <last attempt> <wait>`. What is none is no count; what says too much counts as the most there can be.
local ONE, MOST_DOUBLINGS, LONGEST_WAIT, MEMORY_MS = 1000, 10, 900, 86400000
local now = tonumber(ARGV[1])
if now == 0 then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end

local function write(key, count, keeps)
    local text = string.format('%.0f %.0f %.0f', count.level, count.at, count.wait)
    redis.call('SET', key, text, 'PX', string.format('%.0f', keeps))
end

local counts, longest = {}, 0
for place, key in ipairs(KEYS) do
    local free, window = tonumber(ARGV[2 * place]) * ONE, tonumber(ARGV[2 * place + 1])
    local text = redis.pcall('GETRANGE', key, 0, 63)
    local level, at, wait
    if type(text) == 'string' then
        level, at, wait = string.match(text, '^(%d+) (%d+) (%d+)$')
    end
    local count = {
        level = math.min(tonumber(level or 0), free + MOST_DOUBLINGS * ONE),
        at = math.min(tonumber(at or now), now),
        wait = math.min(tonumber(wait or 0), LONGEST_WAIT),
    }
    local quiet = now - count.at
    local left = count.wait * 1000000 - quiet
    if left > 0 then
        longest = math.max(longest, math.ceil(left / 1000000))
        if tonumber(at) > now then
            -- From a clock that was ahead, or made up: the wait begins now, and not anew with every question.
            write(key, count, MEMORY_MS)
        end
    end
    if count.wait > 0 then
        count.level = math.floor(count.level * math.max(MEMORY_MS - math.floor(quiet / 1000), 0) / MEMORY_MS)
    elseif quiet >= window then
        count.level = 0
    end
    count.was_raised = count.wait > 0 and count.level > 0
    count.free, count.window = free, window
    counts[place] = count
end
if longest > 0 then
    return { longest }
end

local answer = { 0 }
for place, key in ipairs(KEYS) do
    local count = counts[place]
    count.level = math.min(count.level + ONE, count.free + MOST_DOUBLINGS * ONE)
    count.at, count.wait = now, 0
    if count.level >= count.free then
        local doublings = math.min(math.floor((count.level - count.free + ONE / 2) / ONE), MOST_DOUBLINGS)
        count.wait = math.min(2 ^ doublings, LONGEST_WAIT)
    end
    local is_raised = count.wait > 0
    write(key, count, is_raised and MEMORY_MS or math.max(math.ceil(count.window / 1000), 1))
    answer[place + 1] = (is_raised and not count.was_raised) and 1 or 0
end
return answer
