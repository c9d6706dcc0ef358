#include "console/log_statistics.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "adapters/crypto/tenant_keys.hpp"
#include "base/clock.hpp"

namespace understudy::console {

json::object to_json(const store::LogReadReport& report) {
  json::array warnings;
  for (const std::string& line : report.warnings) warnings.emplace_back(line);
  json::array corrupt;
  for (const Error& error : report.corrupt) corrupt.emplace_back(error.message);
  return {{"calls", report.calls},
          {"segments", report.segments},
          {"closed_segments", report.closed_segments},
          {"bytes", report.bytes},
          {"feedback", report.feedback},
          {"erased_calls", report.erased_calls},
          {"lost_tail_bytes", report.lost_tail_bytes},
          {"warnings", std::move(warnings)},
          {"corrupt", std::move(corrupt)}};
}

void LogStatistics::add(const Call& call) {
  by_slm_ += call.route.server == Server::slm ? 1 : 0;
  not_ok_ += call.status != CallStatus::ok ? 1 : 0;
  content_bytes_ += call.content_bytes.request + call.content_bytes.response;
  if (call.started_at.known() && (!first_.known() || call.started_at < first_))
    first_ = call.started_at;
  last_ = std::max(last_, call.started_at);
  ++of_tenant_[call.origin.tenant];
}

json::object LogStatistics::to_json(const store::LogReadReport& report) const {
  json::object result = console::to_json(report);
  result["served_by_slm"] = by_slm_;
  result["not_ok"] = not_ok_;
  result["content_bytes"] = content_bytes_;
  if (first_.known()) {
    result["first_call"] = to_iso8601(first_);
    result["last_call"] = to_iso8601(last_);
  }
  json::object tenants;
  for (const auto& [tenant, calls] : of_tenant_)
    tenants[tenant.empty() ? crypto::default_tenant : std::string_view(tenant)] = calls;
  result["tenants"] = std::move(tenants);
  return result;
}

}  // namespace understudy::console
