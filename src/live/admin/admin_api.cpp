#include "live/admin/admin_api.hpp"

#include "adapters/store/access_changes.hpp"
#include "adapters/store/audit_trail.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "live/admin/key_request.hpp"

namespace understudy::live {

namespace {

std::string error_text(std::string_view message, std::string_view code) {
  return json::to_text(json::object{{"error", {{"message", message}, {"code", code}}}});
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

std::expected<AdminMatch, AdminApi::Reply> AdminApi::find_route(std::string_view method,
                                                                std::string_view path) {
  std::string allow;
  for (const AdminRoute& route : admin_routes()) {
    const AdminMatch found = match(route, path);
    if (found.route == nullptr) continue;
    if (route.method == method || !route.least) return found;
    allow += (allow.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allow.empty())
    return std::unexpected(Reply{.status = 404, .body = error_text("no such path", "not_found")});
  return std::unexpected(Reply{
      .status = 405, .body = error_text("not with this method", "wrong_method"), .allow = allow});
}

std::expected<TokenHolder, AdminApi::Reply> AdminApi::authorise(const net::HttpRequest& request) {
  const std::string_view token = secret_of(request.headers.find("authorization").value_or(""), "");
  if (auto holder = services_.access.holder_of(token)) return std::move(*holder);
  if (!token.empty() && !failed_.count(request.peer_address, now())) {
    return std::unexpected(
        Reply{.status = 429,
              .body = error_text("too many wrong tokens; wait a minute", "too_many_attempts"),
              .retry_after_s = 60});
  }
  if (!token.empty())
    understudy::log::warn("admin API: a wrong token from " + request.peer_address);
  return std::unexpected(
      Reply{.status = 401,
            .body = error_text("send a token: 'Authorization: Bearer ut-...'", "unauthorized")});
}

net::Async<AdminApi::Reply> AdminApi::answer(net::Exchange& exchange) {
  const net::HttpRequest& request = exchange.request();
  const std::string path(path_of(request.target));
  const auto found = find_route(request.method, path);
  if (found && !found->route->least) {  // anybody; only health is
    co_return run(found->route->job, {});
  }
  auto holder = authorise(request);
  if (!holder) co_return std::move(holder).error();
  if (!found) co_return found.error();
  const AccessRole least = *found->route->least;
  if (holder->role != AccessRole::admin && holder->role != least) {
    co_return Reply{
        .status = 403,
        .body = error_text("it takes the role " + std::string(to_string(least)), "denied")};
  }
  auto body = co_await net::read_small_body(exchange);
  if (!body) co_return failure(body.error());
  const Call call{
      .who = std::move(*holder), .name = std::string(found->name), .body = std::move(*body)};
  co_return co_await net::on_pool<Reply>(
      services_.pool, [this, job = found->route->job, &call] { return run(job, call); });
}

net::Async<void> AdminApi::handle(net::Exchange& exchange) {
  Reply reply = co_await answer(exchange);
  net::Headers guard;  // it answers programs: no page may frame it or guess its type
  guard.add("X-Content-Type-Options", "nosniff");
  guard.add("X-Frame-Options", "DENY");
  guard.add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  co_await net::send_reply(exchange, std::move(reply), std::move(guard));
}

AdminApi::Reply AdminApi::failure(const Error& error) {
  return {.status = net::status_of(error.code),
          .body = error_text(error.to_line(), to_string(error.code))};
}

Status AdminApi::note(const TokenHolder& who, std::string act, std::string detail) const {
  store::AuditEntry entry;
  entry.role = to_string(who.role);
  entry.act = std::move(act);
  entry.what = "admin API";
  entry.detail = detail + ", token " + who.name;
  understudy::log::info("admin API: " + entry.act + " " + entry.detail);
  return store::append_audit(services_.home, std::move(entry));
}

AdminApi::Reply AdminApi::run(AdminJob job, const Call& call) {
  switch (job) {
    case AdminJob::health: return {.body = R"({"status":"ok"})"};
    case AdminJob::metrics: return metrics(call);
    case AdminJob::upstreams: return upstreams(call);
    case AdminJob::log: return log(call);
    case AdminJob::list_keys: return keys(call);
    case AdminJob::issue_key: return issue(call);
    case AdminJob::revoke_key: return revoke(call);
    case AdminJob::reload: return reload(call);
  }
  return failure({.code = ErrorCode::internal, .message = "an unknown job", .hint = {}});
}

AdminApi::Reply AdminApi::metrics(const Call&) {
  return {.content_type = std::string(telemetry::Metrics::content_type),
          .body = services_.metrics.exposition()};
}

AdminApi::Reply AdminApi::upstreams(const Call&) {
  return {.body = json::to_text(services_.upstreams())};
}

AdminApi::Reply AdminApi::log(const Call&) {
  return {.body = json::to_text(services_.log_counters())};
}

AdminApi::Reply AdminApi::keys(const Call&) {
  return {.body = json::to_text(json::object{{"keys", services_.access.describe_keys()}})};
}

AdminApi::Reply AdminApi::issue(const Call& call) {
  auto wanted = parse_key_request(call.body);
  if (!wanted) return failure(wanted.error());
  if (const Status noted = note(call.who, "make", "key " + wanted->name); !noted)
    return failure(noted.error());
  const auto issued =
      store::issue_key(services_.home, services_.access.signature_rule(), std::move(*wanted));
  if (!issued) return failure(issued.error());
  if (const Status loaded = services_.access.reload(); !loaded) return failure(loaded.error());
  json::value shown = to_public_json(issued->key);
  shown.get_object()["secret"] = issued->secret.reveal();
  return {.status = 201, .body = json::to_text(shown)};
}

AdminApi::Reply AdminApi::revoke(const Call& call) {
  if (const Status name = check_access_name(call.name); !name) return failure(name.error());
  if (const Status noted = note(call.who, "revoke", call.name); !noted)
    return failure(noted.error());
  const Status revoked =
      store::revoke_access(services_.home, services_.access.signature_rule(), call.name);
  if (!revoked) return failure(revoked.error());
  if (const Status loaded = services_.access.reload(); !loaded) return failure(loaded.error());
  return {.body = json::to_text(json::object{{"revoked", call.name}})};
}

AdminApi::Reply AdminApi::reload(const Call& call) {
  if (const Status noted = note(call.who, "reload", "configuration"); !noted)
    return failure(noted.error());
  if (const Status loaded = services_.reload(); !loaded) return failure(loaded.error());
  if (const Status loaded = services_.access.reload(); !loaded) return failure(loaded.error());
  return {.body = R"({"reloaded":true})"};
}

}  // namespace understudy::live
