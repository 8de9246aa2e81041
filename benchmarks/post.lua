-- wrk: post the files 1 to COUNT of a folder in turn, and print the measurements as JSON.
-- Arguments: PATH FOLDER COUNT CONTENT_TYPE [PAUSE_MS]

local requests, turn = {}, 0

function init(arguments)
  local headers = { ["Content-Type"] = arguments[4] }
  for number = 1, tonumber(arguments[3]) do
    local file = assert(io.open(arguments[2] .. "/" .. number, "rb"))
    requests[number] = wrk.format("POST", arguments[1], headers, file:read("*a"))
    file:close()
  end
  local pause = tonumber(arguments[5])
  if pause then delay = function() return math.random(pause / 2, pause * 3 / 2) end end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
