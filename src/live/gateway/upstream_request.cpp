#include "live/gateway/upstream_request.hpp"

#include <optional>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace understudy::live {

namespace {

constexpr std::string_view anthropic_version = "2023-06-01";

// The secret in either family's header.
std::optional<std::string> client_key(const net::HttpRequest& request) {
  if (const auto key = request.headers.find("x-api-key")) return std::string(*key);
  const auto bearer = request.headers.find("authorization");
  if (!bearer || !net::has_prefix(*bearer, "Bearer ")) return std::nullopt;
  return std::string(bearer->substr(7));
}

void set_key(net::Headers& headers, Protocol protocol, const std::string& key) {
  if (protocol == Protocol::anthropic) {
    headers.set("x-api-key", key);
  } else {
    headers.set("Authorization", "Bearer " + key);
  }
}

Result<wire::Api> upstream_api(wire::Api client, Protocol protocol) {
  const bool anthropic = protocol == Protocol::anthropic;
  if (anthropic == (client == wire::Api::messages)) return client;
  if (anthropic && client == wire::Api::chat_completions) return wire::Api::messages;
  if (!anthropic && client == wire::Api::messages) return wire::Api::chat_completions;
  return fail(ErrorCode::unsupported,
              "this model is served by an upstream that does not speak the " +
                  std::string(wire::to_string(client)) + " API",
              "use chat completions or messages for it");
}

}  // namespace

net::Headers upstream_headers(const net::HttpRequest& request, const NamedUpstream& upstream,
                              bool own_credentials) {
  net::Headers headers;
  const bool replace = !own_credentials || !upstream.key.empty();
  for (const net::Header header : request.headers.items()) {
    if (net::has_prefix(header.name, "x-understudy-") ||
        net::same_name(header.name, "accept-encoding")) {
      continue;
    }
    if (replace && (net::same_name(header.name, "authorization") ||
                    net::same_name(header.name, "x-api-key"))) {
      continue;
    }
    headers.add(header.name, header.value);
  }
  if (!upstream.key.empty()) set_key(headers, upstream.config.protocol, upstream.key.reveal());
  return headers;
}

Status UpstreamRequest::prepare(const ClientCall& call, const Target& target) {
  const NamedUpstream& upstream = *target.upstream;
  api = TRY(upstream_api(call.api, upstream.config.protocol));
  headers = upstream_headers(call.http, upstream, call.own_credentials);
  const bool renamed = !target.model.empty() && target.model != call.scan.model;
  if (api == call.api) {
    path = call.http.target;
    set_body(call.http.body, renamed ? call.scan.model_value : TextRange{}, target.model);
    return {};
  }
  auto translated = wire::translate_request(call.api, api, call.http.body);
  if (!translated)
    return fail(ErrorCode::unsupported, translated.error().message, translated.error().hint);
  translated_ = std::move(translated->body);
  answer = translated->answer;
  answer.created_s = now().value / 1'000'000;
  TextRange model_value;
  if (renamed)
    model_value = TRY(wire::scan_request(api, std::string_view(translated_))).model_value;
  set_body(translated_, model_value, target.model);
  path = api == wire::Api::messages ? "/v1/messages" : "/v1/chat/completions";
  translate_headers(call, upstream);
  return {};
}

// Without a model value the body stays as it is.
void UpstreamRequest::set_body(std::string_view body, const TextRange& model_value,
                               std::string_view model) {
  parts_[0] = body;
  count_ = 1;
  if (model_value.bytes == 0) return;
  model_ = json::to_text(json::value(model));
  parts_ = {body.substr(0, model_value.begin), model_,
            body.substr(model_value.begin + model_value.bytes)};
  count_ = 3;
}

void UpstreamRequest::translate_headers(const ClientCall& call, const NamedUpstream& upstream) {
  headers.set("Content-Type", "application/json");
  headers.remove("anthropic-beta");
  headers.remove("anthropic-version");
  if (api == wire::Api::messages) headers.set("anthropic-version", anthropic_version);
  if (!upstream.key.empty() || !call.own_credentials) return;
  if (const auto key = client_key(call.http)) {
    headers.remove("authorization");
    headers.remove("x-api-key");
    set_key(headers, upstream.config.protocol, *key);
  }
}

}  // namespace understudy::live
