#include "steps/s2_curate/filters.hpp"

#include "steps/s2_curate/chat_call.hpp"

namespace understudy::s2 {

std::optional<std::string_view> reason_to_drop(const Call& call) {
  if (call.route.server == Server::slm) return "served_by_slm";  // a model must not teach itself
  if (call.human_facing) return "human_facing";
  if (!call.training_allowed) return "training_not_allowed";
  if (!has_chat_form(call.api)) return "other_api";
  switch (call.status) {
    case CallStatus::ok: break;
    case CallStatus::upstream_error: return "upstream_error";
    case CallStatus::truncated: return "truncated";
    case CallStatus::cancelled: return "cancelled";
    case CallStatus::failed: return call.response.empty() ? dropped_no_answer : "failed";
  }
  if (call.http_status >= 400) return "upstream_error";
  if (call.finish_reason == "length") return "truncated";
  if (call.finish_reason == "content_filter") return "content_filter";
  if (call.response.empty()) return dropped_no_answer;
  return std::nullopt;
}

}  // namespace understudy::s2
