// What one upstream is sent for a call: path, headers and body. The body is the client's own bytes
// with another model name spliced in where the route says so, or a translation where the upstream
// speaks the other API.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "adapters/net/http.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/request_scan.hpp"
#include "adapters/wire/translate.hpp"
#include "base/result.hpp"
#include "live/upstreams/upstream_set.hpp"

namespace understudy::live {

// A captured call as the client sent it. Outlives every UpstreamRequest made of it.
struct ClientCall {
  const net::HttpRequest& http;
  wire::Api api;
  const wire::RequestScan& scan;
  bool own_credentials;  // the client's key is for the upstream, not one of ours
};

class UpstreamRequest {
 public:
  UpstreamRequest() = default;
  UpstreamRequest(const UpstreamRequest&) = delete;  // views into itself
  UpstreamRequest& operator=(const UpstreamRequest&) = delete;

  // unsupported: the upstream's API cannot say what the client's request says.
  Status prepare(const ClientCall& call, const Target& target);

  wire::Api api = wire::Api::chat_completions;  // the upstream's
  std::string path;
  net::Headers headers;
  wire::AnswerContext answer;  // what the translation of the answer must know, where there is one
  [[nodiscard]] std::span<const std::string_view> body() const { return {parts_.data(), count_}; }

 private:
  void translate_headers(const ClientCall& call, const NamedUpstream& upstream);
  void set_body(std::string_view body, const TextRange& model_value, std::string_view model);

  std::array<std::string_view, 3> parts_;
  std::size_t count_ = 0;
  std::string model_;       // as JSON text
  std::string translated_;  // the whole body where the APIs differ
};

// The client's headers without what is ours, what belongs to the hop, and what would keep answers
// from being captured; with the upstream's credentials where it has some. Also for paths that are
// only passed through.
net::Headers upstream_headers(const net::HttpRequest& request, const NamedUpstream& upstream,
                              bool own_credentials);

}  // namespace understudy::live
