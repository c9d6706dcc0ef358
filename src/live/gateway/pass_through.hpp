// Paths of the API that are not captured (files, audio, fine-tuning, batches, ...): both bodies are
// streamed through unchanged, without retries, and nothing of them is kept.
#pragma once

#include "adapters/net/http_server.hpp"
#include "live/upstreams/upstream_set.hpp"

namespace understudy::live {

struct PassThroughOptions {
  NamedUpstream& upstream;
  bool own_credentials;  // the client's key is for the upstream, not one of ours
};

net::Async<void> pass_through(net::Exchange& exchange, PassThroughOptions options);

}  // namespace understudy::live
