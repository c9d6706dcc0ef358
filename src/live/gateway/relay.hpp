// One chat completion on its way from the upstream to the client: bytes go through unchanged, a
// parser on the side collects what the call log needs. Lives on one I/O thread for one exchange.
#pragma once

#include <string>

#include "adapters/net/http_server.hpp"
#include "adapters/net/upstream.hpp"
#include "adapters/wire/chat_stream.hpp"
#include "records/call.hpp"

namespace understudy::live {

class Relay {
 public:
  // `call` gets times, status and content as they become known; `extra` headers go to the client.
  Relay(net::Exchange& exchange, net::Upstream& upstream, Call& call, net::Headers extra)
      : exchange_(exchange), upstream_(upstream), call_(call), extra_(std::move(extra)) {}

  // Runs until the answer is through, the upstream failed, or the client went away (which cancels
  // the upstream at once). Never throws; afterwards `call` is complete.
  net::Async<void> run(net::Headers headers);

 private:
  net::Async<void> transfer(net::Headers headers);
  net::Async<void> whole(net::UpstreamAnswer& answer, std::string first);
  net::Async<void> stream(net::UpstreamAnswer& answer, std::string first);
  std::string complete_events(std::string part);
  net::Async<void> refuse(unsigned status, const Error& error);
  void close_call();

  net::Exchange& exchange_;
  net::Upstream& upstream_;
  Call& call_;
  net::Headers extra_;
  wire::ChatStream events_;
  std::string body_;  // of an answer that is no stream
  std::string held_;  // of a stream: the event that is not complete yet
  bool captured_ = true;
  bool is_stream_ = false;
  bool complete_ = false;
};

// The headers that go back to the client: the upstream's without those of the hop, and `extra`.
net::Headers client_headers(const net::Headers& upstream, const net::Headers& extra);

}  // namespace understudy::live
