#include "console/route_jobs.hpp"

#include <algorithm>
#include <charconv>

#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "console/content_access.hpp"
#include "steps/s6_refine/promote.hpp"
#include "steps/s6_refine/replay.hpp"

namespace understudy::console {

namespace {

constexpr double percent = 100;
constexpr std::size_t demotions_shown_max = 20;

Result<TaskId> resolve(const store::Home& home, const std::string& task) {
  const auto metadata = TRY(store::Metadata::open(home));
  return TRY(metadata.find_task(task)).id;
}

json::value shown(const TaskPolicy& policy) {
  return json::object{{"task", policy.task.value},        {"name", policy.name},
                      {"mode", to_string(policy.mode)},   {"artifact", policy.artifact.value},
                      {"threshold", policy.threshold},    {"canary_share", policy.canary_share},
                      {"audit_share", policy.audit_share}};
}

json::value route_of(const TaskPolicy& task, const RoutingPolicy& policy,
                     const std::vector<Veto>& vetoes, const std::vector<TaskWatch>& watches) {
  const ModeInForce in_force = mode_in_force(task, policy, vetoes);
  const std::string why = in_force.veto != nullptr ? in_force.veto->reason : std::string();
  const UnixMicros since = in_force.veto != nullptr ? in_force.veto->at : task.decided_at;
  json::object route{
      {"task", task.task.value},
      {"name", task.name},
      {"decided", to_string(task.mode)},
      {"mode", to_string(in_force.mode)},
      {"why", why},
      {"since", since.known() ? json::value(to_iso8601(since)) : nullptr},
      {"model", std::string(to_string(task.kind)) + " " + task.artifact.value.substr(0, 8)},
      {"threshold", task.threshold},
      {"canary_share", task.canary_share},
      {"audit_share", task.audit_share},
      {"watch", nullptr}};
  const auto watch =
      std::ranges::find_if(watches, [&task](const TaskWatch& entry) { return is_of(entry, task); });
  if (watch != watches.end()) route["watch"] = to_json(*watch);
  return route;
}

Result<RoutingPolicy> policy_named(const store::Home& home, const std::string& name) {
  if (name == "current") return store::load_current_policy(home);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error == std::errc() && end == name.data() + name.size())
    return store::load_policy(home, version);
  auto tree = json::parse(TRY(read_file(name)));
  if (!tree) return fail(tree.error().within(name));
  auto policy = routing_policy_from_json(*tree);
  if (!policy) return fail(policy.error().within(name));
  return policy;
}

}  // namespace

Result<json::value> replay(const store::Home& home, const ReplayRequest& request) {
  const RoutingPolicy policy = TRY(policy_named(home, request.policy));
  if (policy.tasks.empty()) {
    return fail(ErrorCode::not_found, "the policy has no tasks",
                "`understudy promote TASK --draft FILE` writes one to replay");
  }
  const auto access =
      TRY(ContentAccess::begin(home, crypto::Role::curator, "replay", "policy " + request.policy));
  const auto report = TRY(s6::replay(home, {.policy = policy, .calls_max = request.calls_max}));
  TRY(access.end(static_cast<std::uint64_t>(report.calls)));
  return to_json(report);
}

Result<json::value> promote(const store::Home& home, const PromoteRequest& request) {
  const TaskId task = TRY(resolve(home, request.task));
  auto mode = parse_route_mode(request.mode);
  if (!mode)
    return fail(ErrorCode::invalid_input, mode.error().message, "shadow, canary or active");
  const s6::PromoteOptions options{.mode = *mode,
                                   .canary_share = request.canary_percent / percent,
                                   .audit_share = request.audit_percent / percent};
  if (!request.draft) return shown(TRY(s6::promote(home, task, options)));
  const RoutingPolicy policy = TRY(s6::draft_promotion(home, task, options));
  TRY(write_file_atomically(*request.draft, json::to_text(to_json(policy)) + "\n"));
  json::value tree = shown(policy.tasks.back());
  tree.as_object()["draft"] = request.draft->string();
  return tree;
}

Result<json::value> rollback(const store::Home& home, const RollbackRequest& request) {
  const TaskId task = TRY(resolve(home, request.task));
  return shown(request.to_previous ? TRY(s6::rollback_to_previous(home, task))
                                   : TRY(s6::rollback(home, task)));
}

Result<json::value> show_routes(const store::Home& home) {
  const RoutingPolicy policy = TRY(store::load_current_policy(home));
  const auto vetoes = TRY(store::load_vetoes(home));
  const auto watches = store::load_watches(home);
  json::array routes;
  for (const TaskPolicy& task : policy.tasks)
    routes.push_back(route_of(task, policy, vetoes, watches));
  json::array demotions;
  auto stored = store::load_demotions(home);
  std::ranges::reverse(stored);
  for (const Demotion& demotion : stored) {
    if (demotions.size() == demotions_shown_max) break;
    json::value tree = to_json(demotion);
    tree.as_object()["at"] = to_iso8601(demotion.at);
    demotions.push_back(std::move(tree));
  }
  const bool everything_off = std::ranges::any_of(vetoes, [&policy](const Veto& veto) {
    return veto.task.empty() && policy.resumed_at <= veto.at;
  });
  return json::object{{"policy_version", policy.version},
                      {"everything_off", everything_off},
                      {"routes", std::move(routes)},
                      {"demotions", std::move(demotions)}};
}

Result<json::value> switch_routes(const store::Home& home, const std::optional<std::string>& task,
                                  bool on) {
  std::optional<TaskId> id;
  if (task) id = TRY(resolve(home, *task));
  TRY(on ? s6::switch_on(home, id) : s6::switch_off(home, id));
  return show_routes(home);
}

}  // namespace understudy::console
