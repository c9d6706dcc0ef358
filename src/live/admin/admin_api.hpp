// The admin API: metrics, keys, upstreams, counters; no content. Off unless [admin] listen is
// configured, on a listener of its own. live/api has its paths and the role that each takes
// (`understudy access token --role ...`).
//
// Whoever changes something is in the audit trail first (`understudy audit show`).
//
// Owner: the gateway's server. Thread-safe; work on the disk runs on the pool.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "adapters/net/api_reply.hpp"
#include "adapters/net/failed_attempts.hpp"
#include "adapters/store/home.hpp"
#include "adapters/telemetry/metrics.hpp"
#include "base/json.hpp"
#include "base/pool.hpp"
#include "live/access/access.hpp"
#include "live/api/routes.hpp"

namespace understudy::live {

struct AdminServices {
  store::Home home;
  Access& access;
  const telemetry::Metrics& metrics;
  Pool& pool;
  std::function<json::value()> upstreams;  // both are called on the pool
  std::function<json::value()> log_counters;
  std::function<Status()> reload;  // of the configuration; on the pool
};

class AdminApi {
 public:
  explicit AdminApi(AdminServices services) : services_(std::move(services)) {}
  net::Async<void> handle(net::Exchange& exchange);

 private:
  using Reply = net::ApiReply;
  struct Call {  // one authorised request
    TokenHolder who;
    std::string name;  // behind /admin/keys/
    std::string body;
  };

  static std::expected<AdminMatch, Reply> find_route(std::string_view method,
                                                     std::string_view path);
  std::expected<TokenHolder, Reply> authorise(const net::HttpRequest& request);
  net::Async<Reply> answer(net::Exchange& exchange);
  static Reply failure(const Error& error);
  // Into the audit trail, before anything is changed: no trace, no change.
  [[nodiscard]] Status note(const TokenHolder& who, std::string act, std::string detail) const;

  // Run on the pool.
  Reply run(AdminJob job, const Call& call);
  Reply metrics(const Call& call);
  Reply upstreams(const Call& call);
  Reply log(const Call& call);
  Reply keys(const Call& call);
  Reply issue(const Call& call);
  Reply revoke(const Call& call);
  Reply reload(const Call& call);

  AdminServices services_;
  net::FailedAttempts failed_;
};

}  // namespace understudy::live
