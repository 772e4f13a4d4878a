-- The load generator's script for wrk: one request text around one token, tokens by chance or each once.
-- Arguments: tokens file (lines of equal length), head file, tail file, order (random|once), pipeline depth, seed.

local random, sub, concat = math.random, string.sub, table.concat
local tokens, width, count, head, tail, once, depth
local at = 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  tokens, head, tail = read(args[1]), read(args[2]), read(args[3])
  once, depth = args[4] == "once", tonumber(args[5])
  math.randomseed(tonumber(args[6]))
  width = assert(tokens:find("\n", 1, true), "no tokens")
  count = #tokens / width
  assert(count == math.floor(count), "tokens of different lengths")
end

local function one()
  local index
  if not once then
    index = random(0, count - 1)
  elseif at < count then
    index = at
    at = at + 1
  else
    -- Every token was asked for: tell the task, which ends wrk's sleep.
    wrk.thread:stop()
    io.stdout:write("exhausted\n")
    io.stdout:flush()
    index = 0
  end
  local from = index * width + 1
  return concat({ head, sub(tokens, from, from + width - 2), tail })
end

function request()
  if depth == 1 then
    return one()
  end
  local batch = {}
  for i = 1, depth do
    batch[i] = one()
  end
  return concat(batch)
end

function done(summary, latency)
  local errors = summary.errors
  io.stdout:write(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,'
      .. '"status_errors":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
