// N clients that each read one SSE stream after another, and what they saw: frames, time to first
// frame, gaps between frames, and how long each frame was under way (the upstream stamps them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace load {

struct StreamOptions {
  std::uint16_t port = 0;  // on 127.0.0.1
  std::string path = "/v1/chat/completions";
  std::string headers;  // further ones, each line with \r\n
  std::size_t connections = 1000;
  std::size_t streams = 1;        // per connection, one after the other
  std::uint32_t deltas = 64;      // frames with a piece of text that each must bring
  std::uint32_t start_ms = 1000;  // the connections start spread over this time
  std::uint32_t timeout_s = 60;
};

// Prints one JSON object; 0, or 1 when frames were lost (they are counted in it).
int run_streams(const StreamOptions& options);

}  // namespace load
