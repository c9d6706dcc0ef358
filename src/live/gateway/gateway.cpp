#include "live/gateway/gateway.hpp"

#include <utility>

#include "adapters/wire/errors.hpp"
#include "base/hex.hpp"
#include "base/log.hpp"
#include "live/api/routes.hpp"
#include "live/gateway/captured_call.hpp"
#include "live/gateway/feedback.hpp"
#include "live/gateway/pass_through.hpp"
#include "live/gateway/replies.hpp"

namespace understudy::live {

namespace {

// A path that climbs would leave the API that the upstream's URL names.
bool climbs(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string segment(path.substr(0, slash));
    for (std::size_t at = 0; (at = segment.find('%', at)) != std::string::npos; ++at) {
      std::string_view code = std::string_view(segment).substr(at + 1, 2);
      if (net::same_name(code, "2e"))
        segment.replace(at, 3, ".");
      else if (net::same_name(code, "2f") || net::same_name(code, "5c"))
        return true;
    }
    if (segment == "." || segment == ".." || segment.contains('\\')) return true;
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return false;
}

// A captured call's path, written so that it is not ours but may be the upstream's: relayed, it
// would be neither recorded nor counted. Case, slashes and "%63" for "c" are what servers differ
// about.
bool is_call_in_disguise(std::string_view path) {
  std::string plain;
  for (char c : decode_percent(path)) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (c != '/' || !plain.ends_with('/')) plain += c;
  }
  if (plain.ends_with('/')) plain.pop_back();
  return plain != path && wire::api_of_path(plain).has_value();
}

// Of what is relayed with a key's limits unseen: nothing that generates.
bool is_free(const net::HttpRequest& request, std::string_view path) {
  return request.method == "GET" || request.method == "HEAD" || path == "/v1/messages/count_tokens";
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view header(const net::HttpRequest& request, std::string_view name) {
  return request.headers.find(name).value_or("");
}

std::string_view secret_in(const net::HttpRequest& request) {
  return secret_of(header(request, "authorization"), header(request, "x-api-key"));
}

// Which family's shapes the caller of a path without a model expects.
wire::Api family_of(const net::HttpRequest& request) {
  return header(request, "anthropic-version").empty() ? wire::Api::chat_completions
                                                      : wire::Api::messages;
}

}  // namespace

Gateway::Gateway(GatewayParts parts, std::shared_ptr<const ActiveConfig> active)
    : parts_(std::move(parts)), active_(std::move(active)) {}

void Gateway::replace(std::shared_ptr<const ActiveConfig> active) { active_.store(active); }

net::Async<void> Gateway::handle(net::Exchange& exchange) {
  const net::HttpRequest& request = exchange.request();
  const std::string_view path = path_of(request.target);
  if (const GatewayRoute* route = find_gateway_route(request.method, path)) {
    switch (route->job) {
      case GatewayJob::call: {
        CapturedCall call(parts_, active(), exchange, *wire::api_of_path(path));
        co_await call.run();
        co_return;
      }
      case GatewayJob::feedback: co_await take_feedback(exchange); co_return;
      case GatewayJob::models: co_await models(exchange, path); co_return;
      case GatewayJob::health: co_await health(exchange); co_return;
    }
  }
  if (path.starts_with("/v1/") && !path.starts_with("/v1/understudy/") && !climbs(path) &&
      !is_call_in_disguise(path)) {
    co_await relay_other(exchange, path);
    co_return;
  }
  co_await reply_error(exchange, family_of(request), 404,
                       {.code = ErrorCode::not_found,
                        .message = "no such path: " + std::string(path),
                        .hint = "the API begins with /v1"});
}

net::Async<void> Gateway::health(net::Exchange& exchange) {
  json::object body{{"status", "ok"}, {"policy_version", parts_.router.policy_version()}};
  if (parts_.recorder != nullptr) {
    const CaptureCounters counters = parts_.recorder->counters();
    body["log"] = to_string(counters.state);
    body["calls_recorded"] = counters.committed;
    body["calls_lost"] = counters.lost + counters.dropped;
  } else {
    body["log"] = "off";
  }
  co_await reply_json(exchange, 200, std::move(body));
}

net::Async<void> Gateway::relay_other(net::Exchange& exchange, std::string_view path) {
  const auto active = this->active();
  const net::HttpRequest& request = exchange.request();
  const wire::Api family = family_of(request);
  AccessDecision decision = parts_.access.admit({.secret = secret_in(request), .model = {}});
  if (decision.refusal) {
    co_await reply_refusal(exchange, family, *decision.refusal);
    co_return;
  }
  if (decision.grant.counts_use() && !is_free(request, path)) {
    co_await reply_refusal(
        exchange, family,
        {.status = 403,
         .type = "invalid_request_error",
         .code = "path_not_counted",
         .message = "This key has limits, and what is used at " + std::string(path) +
                    " cannot be counted. Ask the owner of this gateway for a key without limits on "
                    "models, tokens and money."});
    co_return;
  }
  const Protocol protocol =
      path.starts_with("/v1/messages") ? Protocol::anthropic : protocol_of(family);
  const std::size_t upstream = active->config.default_target(protocol);
  co_await pass_through(exchange, {.upstream = *active->upstreams->upstreams()[upstream],
                                   .own_credentials = decision.grant.anonymous()});
}

// The models that the configuration names: what a client may ask for here.
net::Async<void> Gateway::models(net::Exchange& exchange, std::string_view path) {
  const auto active = this->active();
  if (active->config.models.empty()) {
    co_await relay_other(exchange, path);
    co_return;
  }
  AccessDecision decision =
      parts_.access.admit({.secret = secret_in(exchange.request()), .model = {}});
  if (decision.refusal) {
    co_await reply_refusal(exchange, family_of(exchange.request()), *decision.refusal);
    co_return;
  }
  json::array data;
  for (const ModelConfig& model : active->config.models) {
    if (model.name == "*") continue;
    if (family_of(exchange.request()) == wire::Api::messages) {
      data.push_back(json::object{{"type", "model"},
                                  {"id", model.name},
                                  {"display_name", model.name},
                                  {"created_at", "1970-01-01T00:00:00Z"}});
    } else {
      data.push_back(json::object{
          {"id", model.name}, {"object", "model"}, {"created", 0}, {"owned_by", "understudy"}});
    }
  }
  json::object body{{"object", "list"}, {"data", std::move(data)}};
  if (family_of(exchange.request()) == wire::Api::messages) body["has_more"] = false;
  co_await reply_json(exchange, 200, std::move(body));
}

net::Async<void> Gateway::take_feedback(net::Exchange& exchange) {
  const net::HttpRequest& request = exchange.request();
  const wire::Api family = wire::Api::chat_completions;
  AccessDecision decision = parts_.access.admit({.secret = secret_in(request), .model = {}});
  if (decision.refusal) {
    co_await reply_refusal(exchange, family, *decision.refusal);
    co_return;
  }
  Status read = co_await exchange.read_small_body(BodyMemory::small_body_bytes);
  if (read && !exchange.body_is_whole()) {
    read = fail(ErrorCode::exhausted, "feedback is larger than " +
                                          std::to_string(BodyMemory::small_body_bytes) + " bytes");
  }
  if (!read) {
    co_await reply_error(exchange, family, body_status(read.error()), read.error());
    co_return;
  }
  auto feedback = parse_feedback(request.body);
  if (!feedback) {
    co_await reply_error(exchange, family, 400, feedback.error());
    co_return;
  }
  if (parts_.recorder == nullptr) {
    co_await reply_error(exchange, family, 409,
                         {.code = ErrorCode::conflict,
                          .message = "nothing is recorded here, so there is nothing to rate",
                          .hint = "start the gateway with --capture async or durable"});
    co_return;
  }
  const std::string_view tenant =
      decision.grant.anonymous() ? header(request, "x-understudy-tenant") : decision.grant.tenant();
  feedback->tenant = parts_.recorder->pseudonym("tenant", tenant);
  if (!parts_.recorder->record_feedback(*feedback)) {
    net::Headers headers;
    headers.add("Retry-After", "1");
    co_await reply_error(exchange, family, 503, log_is_away(), std::move(headers));
    co_return;
  }
  co_await reply_json(exchange, 202, json::object{{"status", "accepted"}});
}

}  // namespace understudy::live
