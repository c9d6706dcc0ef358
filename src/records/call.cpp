#include "records/call.hpp"

#include <array>

namespace understudy {

namespace {

constexpr std::array statuses = {CallStatus::ok, CallStatus::upstream_error, CallStatus::truncated,
                                 CallStatus::cancelled, CallStatus::failed};

Result<CallStatus> parse_status(std::string_view text) {
  for (const CallStatus status : statuses) {
    if (text == to_string(status)) return status;
  }
  return fail(ErrorCode::corrupt, "no such call status: " + std::string(text));
}

UnixMicros micros_or_unknown(const json::value& tree, std::string_view key) {
  return {json::find_integer(tree, key).value_or(0)};
}

json::value route_to_json(const RouteDecision& route) {
  return json::object{{"server", to_string(route.server)},
                      {"task", route.task},
                      {"artifact", route.artifact},
                      {"reason", route.reason},
                      {"confidence", route.confidence}};
}

RouteDecision route_from_json(const json::value& tree) {
  return {.server = json::find_string(tree, "server") == "slm" ? Server::slm : Server::llm,
          .task = json::string_or(tree, "task"),
          .artifact = json::string_or(tree, "artifact"),
          .reason = json::string_or(tree, "reason"),
          .confidence = json::find_number(tree, "confidence").value_or(-1)};
}

Origin origin_from_json(const json::value& tree) {
  return {.tenant = json::string_or(tree, "tenant"),
          .user = json::string_or(tree, "user"),
          .key = json::string_or(tree, "key"),
          .address = json::string_or(tree, "address")};
}

}  // namespace

std::string_view to_string(CallStatus status) {
  switch (status) {
    case CallStatus::ok: return "ok";
    case CallStatus::upstream_error: return "upstream_error";
    case CallStatus::truncated: return "truncated";
    case CallStatus::cancelled: return "cancelled";
    case CallStatus::failed: return "failed";
  }
  return "failed";
}

std::string_view to_string(Server server) { return server == Server::slm ? "slm" : "llm"; }

std::string_view to_string(ContentState state) {
  switch (state) {
    case ContentState::whole: return "whole";
    case ContentState::withheld: return "withheld";
    case ContentState::erased: return "erased";
  }
  return "withheld";
}

json::value to_json(const Call& call) {
  json::object tree{
      {"id", call.id.value},
      {"session", call.session.value},
      {"parent", call.parent.value},
      {"step", call.step},
      {"source", call.source},
      {"started_at", call.started_at.value},
      {"first_byte_at", call.first_byte_at.value},
      {"ended_at", call.ended_at.value},
      {"api", call.api},
      {"upstream", call.upstream},
      {"requested_model", call.requested_model},
      {"served_model", call.served_model},
      {"route", route_to_json(call.route)},
      {"origin", json::object{{"tenant", call.origin.tenant},
                              {"user", call.origin.user},
                              {"key", call.origin.key},
                              {"address", call.origin.address}}},
      {"human_facing", call.human_facing},
      {"training_allowed", call.training_allowed},
      {"request", call.request.reveal()},
      {"response", call.response.reveal()},
      {"finish_reason", call.finish_reason},
      {"usage", json::object{{"prompt_tokens", call.usage.prompt_tokens},
                             {"completion_tokens", call.usage.completion_tokens},
                             {"cached_prompt_tokens", call.usage.cached_prompt_tokens},
                             {"estimated", call.usage.estimated}}},
      {"status", to_string(call.status)},
      {"http_status", call.http_status},
      {"error", call.error},
      {"retries", call.retries},
  };
  if (!call.tool_results.empty()) {
    json::array results;
    for (const ToolResult& result : call.tool_results) {
      results.push_back(
          json::object{{"id", result.tool_call_id}, {"tool", result.tool}, {"item", result.item}});
    }
    tree["tool_results"] = std::move(results);
  }
  if (call.reward) tree["reward"] = *call.reward;
  if (call.cost_usd) tree["cost_usd"] = *call.cost_usd;
  return tree;
}

Result<Call> call_from_json(const json::value& tree) {
  Call call;
  call.id = {json::string_or(tree, "id")};
  if (call.id.empty()) return fail(ErrorCode::corrupt, "a stored call without an id");
  call.session = {json::string_or(tree, "session")};
  call.parent = {json::string_or(tree, "parent")};
  call.step = static_cast<std::int32_t>(json::find_integer(tree, "step").value_or(0));
  call.source = json::string_or(tree, "source");
  call.started_at = micros_or_unknown(tree, "started_at");
  call.first_byte_at = micros_or_unknown(tree, "first_byte_at");
  call.ended_at = micros_or_unknown(tree, "ended_at");
  call.api = json::string_or(tree, "api", "chat.completions");
  call.upstream = json::string_or(tree, "upstream");
  call.requested_model = json::string_or(tree, "requested_model");
  call.served_model = json::string_or(tree, "served_model");
  if (const json::value* route = json::find(tree, "route")) call.route = route_from_json(*route);
  if (const json::value* origin = json::find(tree, "origin"))
    call.origin = origin_from_json(*origin);
  call.human_facing = json::find_bool(tree, "human_facing").value_or(false);
  call.training_allowed = json::find_bool(tree, "training_allowed").value_or(true);
  call.request = SecretText(json::string_or(tree, "request"));
  call.response = SecretText(json::string_or(tree, "response"));
  if (const json::array* results = json::find_array(tree, "tool_results")) {
    for (const json::value& result : *results) {
      call.tool_results.push_back(
          {.tool_call_id = json::string_or(result, "id"),
           .tool = json::string_or(result, "tool"),
           .item = static_cast<std::int32_t>(json::find_integer(result, "item").value_or(0))});
    }
  }
  call.finish_reason = json::string_or(tree, "finish_reason");
  if (const json::value* usage = json::find(tree, "usage")) {
    call.usage = {
        .prompt_tokens = json::find_integer(*usage, "prompt_tokens").value_or(0),
        .completion_tokens = json::find_integer(*usage, "completion_tokens").value_or(0),
        .cached_prompt_tokens = json::find_integer(*usage, "cached_prompt_tokens").value_or(0),
        .estimated = json::find_bool(*usage, "estimated").value_or(false)};
  }
  call.status = TRY(parse_status(json::string_or(tree, "status", "ok")));
  call.http_status =
      static_cast<std::int32_t>(json::find_integer(tree, "http_status").value_or(200));
  call.error = json::string_or(tree, "error");
  call.retries = static_cast<std::int32_t>(json::find_integer(tree, "retries").value_or(0));
  call.reward = json::find_number(tree, "reward");
  call.cost_usd = json::find_number(tree, "cost_usd");
  return call;
}

}  // namespace understudy
