// An LLM API that costs next to nothing: prepared JSON answers, and SSE streams paced by one timer
// for all of them, so that what a bench measures is what stands in front of it. It checks nothing.
// Each frame of a stream carries the steady-clock time of its sending ("sent_ns"), by which a
// client on the same machine knows how long the frame was under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace load {

struct UpstreamOptions {
  std::uint16_t port = 0;  // 0: any free one
  std::string port_file;   // empty: none
  std::size_t answer_bytes = 1024;
  std::uint32_t deltas = 64;
  std::uint32_t interval_ms = 20;
};

// Serves until SIGINT or SIGTERM; 0, or 1 with a message on stderr.
int run_upstream(const UpstreamOptions& options);

}  // namespace load
