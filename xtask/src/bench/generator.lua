-- The load generator's script for wrk: one request text around one token, tokens by chance or each once.
-- Arguments: tokens file (lines of equal length), head file, tail file, order (random|zipf|once), pipeline depth, seed.

local random, sub, concat = math.random, string.sub, table.concat
local tokens, width, count, head, tail, once, depth, drawn
local at = 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Enough for a round at full speed; after so many requests the sequence begins anew.
local DRAWN = 2 ^ 20

-- Tokens by Zipf's law with exponent 1: the k-th most asked for is asked for 1/k as often as the first. Drawn before the
-- load begins, so that a request costs one look into a table. Neighbours in rank are far apart in the file.
local function zipf()
  local ffi = require("ffi")
  local upto, sum = ffi.new("double[?]", count), 0
  for rank = 1, count do
    sum = sum + 1 / rank
    upto[rank - 1] = sum
  end
  local stride = 7919 % count
  local sequence = ffi.new("int32_t[?]", DRAWN)
  for i = 0, DRAWN - 1 do
    local wanted, low, high = random() * sum, 0, count - 1
    while low < high do
      local middle = math.floor((low + high) / 2)
      if upto[middle] < wanted then low = middle + 1 else high = middle end
    end
    sequence[i] = low * stride % count
  end
  return sequence
end

function init(args)
  tokens, head, tail = read(args[1]), read(args[2]), read(args[3])
  once, depth = args[4] == "once", tonumber(args[5])
  math.randomseed(tonumber(args[6]))
  width = assert(tokens:find("\n", 1, true), "no tokens")
  count = #tokens / width
  assert(count == math.floor(count), "tokens of different lengths")
  if args[4] == "zipf" then
    drawn = zipf()
  end
end

local function one()
  local index
  if drawn then
    index = drawn[at]
    at = (at + 1) % DRAWN
  elseif not once then
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
