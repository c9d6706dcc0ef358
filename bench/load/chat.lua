-- wrk's requests: 1,006 bytes, a system prompt that all share, and a last message that no other request has, so that the
-- call log's deduplication is not flattered. Written by hand instead of wrk.format: wrk shares the cores with what it
-- measures. Further headers stand in $LOAD_HEADERS; `done` prints one JSON object.

local number = 0
function setup(thread)
  thread:set("thread_number", number)
  number = number + 1
end

function init(_)
  local system = string.rep("You answer questions about orders, refunds and deliveries. Be brief and polite. ", 9)
  local head = '{"model":"mock","temperature":0.2,"messages":[{"role":"system","content":"' .. system ..
    '"},{"role":"user","content":"Question '
  local tail = " of a customer: where is my order, and can I still change the address of the delivery? It was " ..
    'promised for Friday, and nobody has called me back since then."}]}'
  local seed = tonumber(os.getenv("LOAD_SEED") or "0")
  counter = seed * 100000000 + thread_number * 10000000
  local length = #head + 14 + #tail
  before = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" ..
    "Authorization: Bearer sk-bench\r\n" .. (os.getenv("LOAD_HEADERS") or "") ..
    "Content-Length: " .. length .. "\r\n\r\n" .. head
  after = tail
end

function request()
  counter = counter + 1
  return before .. string.format("%014d", counter) .. after
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50_us":%.1f,"p90_us":%.1f,"p99_us":%.1f,"max_us":%.1f,"not_200":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency.max, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
