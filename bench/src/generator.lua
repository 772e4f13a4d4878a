-- The load generator's script for wrk: sends one request text around a token, which is random, or each token once.
-- Arguments: tokens file (lines of equal length), head file, tail file, order (random|zipf|once), pipeline depth, seed,
-- milliseconds that a connection pauses after each answer.

local ffi = require("ffi")
local random, copy = math.random, ffi.copy
local tokens, width, count, once, depth, drawn
-- The batch to send: `depth` requests of `length` bytes, each with a token after the first `before` bytes.
local batch, length, before
local at = 0

-- Memory outside the garbage collector, never freed. With 70 MB of tokens in its heap the collector would let as much
-- garbage pile up before a cycle, and then stop the load for tens of milliseconds.
ffi.cdef("void *malloc(size_t size);")
local function bytes(size)
  local memory = ffi.C.malloc(size)
  assert(memory ~= nil, "no memory")
  return ffi.cast("char *", memory)
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- The length of the sequence: enough for a round at full speed. Afterwards it repeats.
local DRAWN = 2 ^ 20

-- Tokens by Zipf's law with exponent 1: the k-th most frequent one is used 1/k as often as the first. Drawn before the
-- load begins, so that a request costs one table look-up. Neighbours in rank are far apart in the file.
local function zipf()
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
  local lines, head, tail = read(args[1]), read(args[2]), read(args[3])
  once, depth = args[4] == "once", tonumber(args[5])
  math.randomseed(tonumber(args[6]))
  width = assert(lines:find("\n", 1, true), "no tokens")
  count = #lines / width
  assert(count == math.floor(count), "tokens of different lengths")
  tokens = bytes(#lines)
  copy(tokens, lines, #lines)
  local first = head .. lines:sub(1, width - 1) .. tail
  before, length = #head, #first
  batch = bytes(depth * length)
  for i = 0, depth - 1 do
    copy(batch + i * length, first, length)
  end
  if args[4] == "zipf" then
    drawn = zipf()
  end
  local rest = tonumber(args[7])
  if rest > 0 then
    -- wrk looks up this function once, after init.
    function delay() return rest end
  end
  lines = nil
  collectgarbage()
end

local function choose()
  if drawn then
    local index = drawn[at]
    at = (at + 1) % DRAWN
    return index
  end
  if not once then
    return random(0, count - 1)
  end
  if at < count then
    at = at + 1
    return at - 1
  end
  -- Every token was used: tell the benchmark, which interrupts wrk's sleep.
  wrk.thread:stop()
  io.stdout:write("exhausted\n")
  io.stdout:flush()
  return 0
end

function request()
  for i = 0, depth - 1 do
    copy(batch + i * length + before, tokens + choose() * width, width - 1)
  end
  return ffi.string(batch, depth * length)
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
