#include "steps/s6_refine/report.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "base/clock.hpp"
#include "economics/price_table.hpp"
#include "steps/s6_refine/report_balance.hpp"

namespace understudy::s6 {

namespace {

std::string short_id(const ArtifactId& id) { return id.value.substr(0, 8); }

// Why the LLM keeps a task that no model was judged on.
std::string reason_without_evidence(const Task& task) {
  if (!task.separable)
    return "another task has the same prompts, so its calls cannot be told apart";
  if (task.answer_form == AnswerForm::text) {
    return "open-ended text: no model was trained, because equal wording is the only agreement "
           "that can be "
           "proven";
  }
  return "no model was evaluated yet";
}

// When the first policy with a live model was published.
Result<std::optional<UnixMicros>> first_promotion(const store::Home& home,
                                                  const RoutingPolicy& current) {
  for (std::int64_t version = 1; version <= current.version; ++version) {
    const RoutingPolicy policy = TRY(store::load_policy(home, version));
    const auto is_live = [](const TaskPolicy& task) { return task.mode > RouteMode::shadow; };
    if (std::ranges::any_of(policy.tasks, is_live)) return policy.made_at;
  }
  return std::nullopt;
}

class TaskReporter {
 public:
  TaskReporter(const store::Metadata& metadata, const RoutingPolicy& policy,
               std::vector<Veto> vetoes, std::vector<TaskWatch> watches)
      : metadata_(metadata),
        policy_(policy),
        vetoes_(std::move(vetoes)),
        watches_(std::move(watches)) {}

  Result<TaskReport> report(const Task& task) const {
    TaskReport report;
    report.id = task.id;
    report.name = task.name;
    report.answer_form = task.answer_form;
    report.reason = reason_without_evidence(task);
    const auto policy = std::ranges::find(policy_.tasks, task.id, &TaskPolicy::task);
    const bool known = policy != policy_.tasks.end();
    std::string veto_reason;
    if (known) {
      const ModeInForce in_force = mode_in_force(*policy, policy_, vetoes_);
      if (in_force.veto != nullptr) veto_reason = in_force.veto->reason;
      report.mode = in_force.mode;
      const auto watch = std::ranges::find_if(
          watches_, [&policy](const TaskWatch& entry) { return is_of(entry, *policy); });
      if (watch != watches_.end()) report.watch = *watch;
    }
    report.live = report.mode > RouteMode::shadow;
    const auto evaluations = TRY(metadata_.evaluations(task.id));
    if (evaluations.empty()) return report;
    report.evaluation = evaluations.front();
    if (report.live) {
      for (const Evaluation& evaluation : evaluations) {
        if (evaluation.artifact != policy->artifact) continue;
        report.evaluation = evaluation;
        break;
      }
    }
    report.reason = report.evaluation->reason;
    if (!veto_reason.empty()) {
      report.reason = "taken from its model (" + veto_reason + "); " + report.reason;
    } else if (report.mode == RouteMode::shadow) {
      report.reason = "in shadow; " + report.reason;
    } else if (!report.live && report.evaluation->verdict == Verdict::convert) {
      report.reason = (known ? "rolled back; " : "proven, not promoted yet; ") + report.reason;
    }
    for (const Artifact& artifact : TRY(metadata_.artifacts(task.id))) {
      if (artifact.id != report.evaluation->artifact) continue;
      report.model = std::string(to_string(artifact.kind)) + " " + short_id(artifact.id);
      report.metrics_json = artifact.metrics_json;
    }
    return report;
  }

 private:
  const store::Metadata& metadata_;
  const RoutingPolicy& policy_;
  std::vector<Veto> vetoes_;
  std::vector<TaskWatch> watches_;
};

std::vector<economics::Price> prices_used(const economics::PriceTable& table,
                                          const std::set<std::string>& models) {
  std::vector<economics::Price> used;
  for (const std::string& model : models) {
    const auto price = table.find(model);
    if (price && std::ranges::find(used, price->model, &economics::Price::model) == used.end())
      used.push_back(*price);
  }
  return used;
}

}  // namespace

Result<Report> make_report(const store::Home& home, const ReportOptions& options) {
  const auto curator = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  const auto metadata = TRY(store::Metadata::open(home));
  const auto prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  const RoutingPolicy policy = TRY(store::load_current_policy(home));
  const auto tasks = TRY(metadata.tasks());
  std::unordered_map<CallId, TaskId> assigned;
  for (const Assignment& assignment : TRY(metadata.assignments()))
    assigned[assignment.call] = assignment.task;

  Report report;
  report.made_at = now();
  report.promoted_at = TRY(first_promotion(home, policy));
  Traffic traffic(std::move(assigned), report.promoted_at);
  std::set<std::string> models;
  const auto count = [&](const Call& call) -> Status {
    traffic.add(call);
    models.insert(call.requested_model);
    models.insert(call.served_model);
    return {};
  };
  // Who, when, how long and how many tokens is all that it counts: no content is opened.
  const auto read = TRY(store::read_call_log(home, curator, count, {.open_content = false}));
  report.warnings = read.warnings;
  for (const Error& error : read.corrupt) report.warnings.push_back(error.message);
  report.calls = traffic.calls();
  report.calls_without_usage = traffic.calls_without_usage();
  report.first_call = traffic.first();
  report.last_call = traffic.last();
  report.over_time = traffic.over_time(options.time_buckets);
  report.unassigned = traffic.of({});
  report.prices = prices_used(prices, models);
  report.machine_usd_per_hour = prices.machine_usd_per_hour();

  economics::Ledger all(prices);
  traffic.settle(all, Traffic::Window::all, tasks);
  report.all = all.savings();
  report.unpriced_models = all.unpriced_models();
  economics::Ledger since(prices);
  traffic.settle(since, Traffic::Window::since_promotion, tasks);
  report.since_promotion = since.savings();

  report.demotions = store::load_demotions(home);
  std::ranges::reverse(report.demotions);
  report.cache = count_cache_hits(home, curator, prices);
  const TaskReporter reporter(metadata, policy, TRY(store::load_vetoes(home)),
                              store::load_watches(home));
  for (const Task& task : tasks) {
    TaskReport entry = TRY(reporter.report(task));
    entry.traffic = traffic.of(task.id);
    economics::Ledger ledger(prices);
    traffic.settle(ledger, Traffic::Window::all, tasks, task.id);
    entry.savings = ledger.savings();
    report.tasks.push_back(std::move(entry));
  }
  TRY(draw_balance(report, traffic, prices, metadata));
  std::ranges::stable_sort(report.tasks, std::greater<>(),
                           [](const TaskReport& task) { return task.traffic.calls; });
  return report;
}

}  // namespace understudy::s6
