-- Requests with the tokens of a file in turn, all made before the first is sent; tells of answers, microseconds and failures,
-- and in how many microseconds half of the answers came, and 99 of 100.
-- wrk -s tokens.lua URL -- FILE
local requests, last = {}, 0

function init(arguments)
    for token in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format(nil, nil, { Authorization = "Bearer " .. token })
    end
end

function request()
    last = last % #requests + 1
    return requests[last]
end

function done(summary, latency)
    local errors = summary.errors
    local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("told %d %d %d\n", summary.requests, summary.duration, failures))
    io.write(string.format("within %d %d\n", latency:percentile(50), latency:percentile(99)))
end
