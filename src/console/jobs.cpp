#include "console/jobs.hpp"

#include <algorithm>
#include <cstdlib>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "base/files.hpp"
#include "base/http_url.hpp"
#include "console/content_access.hpp"
#include "economics/price_table.hpp"
#include "steps/s1_capture/import.hpp"
#include "steps/s2_curate/curate.hpp"
#include "steps/s2_curate/report_page.hpp"
#include "steps/s3_cluster/cluster.hpp"
#include "steps/s3_cluster/task_examples.hpp"
#include "steps/s4_select/select.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/promote.hpp"
#include "steps/s6_refine/report.hpp"

namespace understudy::console {

namespace {

// The task that the user means by an id or its beginning.
Result<Task> resolve(const Home& home, const std::string& task) {
  const auto metadata = TRY(store::Metadata::open(home));
  return metadata.find_task(task);
}

// Of an endpoint; empty where it needs none.
std::string api_key(const char* variable) {
  const char* key = std::getenv(variable);
  return key != nullptr ? key : "";
}

Result<lm::ChatEndpoint> cheaper_endpoint(const Home& home, const EvaluateRequest& request) {
  const auto prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  lm::ChatEndpoint endpoint{
      .url = request.cheaper_url,
      .model = request.cheaper_model.empty() ? prices.cheaper_model() : request.cheaper_model,
      .api_key = api_key("UNDERSTUDY_CHEAPER_KEY")};
  if (!endpoint.model.empty()) return endpoint;
  return fail(ErrorCode::invalid_input, "which cheaper model is to be asked is not said",
              "give --cheaper-model NAME, or [cheaper] model = \"NAME\" in prices.toml");
}

}  // namespace

Result<json::value> import_calls(const Home& home,
                                 const std::vector<std::filesystem::path>& files) {
  return to_json(TRY(s1::import_calls(home, files)));
}

Result<json::value> curate(const Home& home, const std::optional<std::filesystem::path>& page) {
  const auto access = TRY(ContentAccess::begin(home, crypto::Role::curator, "curate"));
  const auto report = TRY(s2::curate(home, {}));
  TRY(access.end(report.calls_read));
  const std::filesystem::path html = page.value_or(home.reports() / "curate.html");
  TRY(write_file_atomically(html, s2::to_html(report)));
  json::value tree = to_json(report);
  tree.as_object()["html"] = html.string();
  return tree;
}

Result<json::value> cluster(const Home& home, const ClusterRequest& request) {
  const std::string& from = request.embeddings;
  const bool leaves = is_http_url(from);
  std::optional<s3::EmbeddingSource> source;
  if (leaves) {
    source = s3::embeddings_of({.url = from,
                                .model = request.embedding_model,
                                .api_key = api_key("UNDERSTUDY_EMBEDDINGS_KEY")});
  } else if (!from.empty()) {
    source = TRY(s3::embeddings_of(std::filesystem::path(from)));
  }
  const auto access = TRY(ContentAccess::begin(
      home, crypto::Role::curator, "cluster", leaves ? "free texts go to " + from : std::string{}));
  const auto report =
      source ? TRY(s3::cluster_embedded(home, {}, *source)) : TRY(s3::cluster(home, {}));
  TRY(access.end(static_cast<std::uint64_t>(report.calls)));
  return to_json(report);
}

Result<json::value> assign_new_calls(const Home& home) {
  const auto access = TRY(ContentAccess::begin(home, crypto::Role::curator, "cluster"));
  const auto report = TRY(s3::assign_new_calls(home));
  TRY(access.end(static_cast<std::uint64_t>(report.calls)));
  return to_json(report);
}

Result<json::value> list_tasks(const Home& home) {
  const auto metadata = TRY(store::Metadata::open(home));
  TRY(metadata.clustered_dataset());
  json::array tasks;
  for (const Task& task : TRY(metadata.tasks())) tasks.push_back(to_json(task));
  return tasks;
}

Result<json::value> show_task(const Home& home, const std::string& task, std::size_t examples) {
  const Task found = TRY(resolve(home, task));
  json::object shown{{"task", to_json(found)}};
  const auto access = TRY(
      ContentAccess::begin(home, crypto::Role::curator, "tasks show", "task " + found.id.value));
  json::array items;
  for (const auto& example : TRY(s3::task_examples(home, found, examples)))
    items.push_back(to_json(example));
  TRY(access.end(items.size()));
  shown["examples"] = std::move(items);
  const auto metadata = TRY(store::Metadata::open(home));
  json::array evaluations;
  for (const Evaluation& evaluation : TRY(metadata.evaluations(found.id)))
    evaluations.push_back(to_json(evaluation));
  shown["evaluations"] = std::move(evaluations);
  return shown;
}

Result<std::string> export_assignments(const Home& home) {
  const auto metadata = TRY(store::Metadata::open(home));
  TRY(metadata.clustered_dataset());
  auto assignments = TRY(metadata.assignments());
  std::ranges::sort(assignments, {}, &Assignment::call);
  std::string lines;
  for (const Assignment& assignment : assignments) {
    json::object line{{"call_id", assignment.call.value}, {"task_id", nullptr}};
    if (!assignment.task.empty()) line["task_id"] = assignment.task.value;
    lines += json::to_text(line) + "\n";
  }
  return lines;
}

Result<json::value> select_candidates(const Home& home, const std::string& task) {
  const Task found = TRY(resolve(home, task));
  return to_json(TRY(s4::select(home, found.id, {})));
}

Result<json::value> evaluate(const Home& home, const EvaluateRequest& request) {
  const Task found = TRY(resolve(home, request.task));
  const bool judged = !request.judge_url.empty();
  const bool compared = !request.cheaper_url.empty();
  const auto access = TRY(ContentAccess::begin(
      home, crypto::Role::trainer, "evaluate",
      "task " + found.id.value +
          (judged ? ", differing answers go to " + request.judge_url : std::string{}) +
          (compared ? ", test calls go to " + request.cheaper_url : std::string{}) +
          (request.endpoint_url.empty() ? std::string{}
                                        : ", held-out calls go to " + request.endpoint_url)));
  s6::EvaluateOptions options{
      .alpha = request.alpha, .delta = request.delta, .self_consistency = request.self_consistency};
  if (!request.endpoint_url.empty()) {
    options.endpoint = ModelEndpoint{.url = request.endpoint_url,
                                     .model = request.endpoint_model,
                                     .form = TRY(parse_constraint_form(request.endpoint_form))};
  }
  if (judged) {
    options.judge = lm::ChatEndpoint{.url = request.judge_url,
                                     .model = request.judge_model,
                                     .api_key = api_key("UNDERSTUDY_JUDGE_KEY")};
  }
  if (compared) options.cheaper = TRY(cheaper_endpoint(home, request));
  if (request.pool_with.empty()) {
    const auto evaluation = TRY(s6::evaluate(home, found.id, options));
    TRY(access.end());
    return to_json(evaluation);
  }
  std::vector<TaskId> tasks{found.id};
  for (const std::string& other : request.pool_with) tasks.push_back(TRY(resolve(home, other)).id);
  json::array evaluations;
  for (const Evaluation& evaluation : TRY(s6::evaluate_pool(home, tasks, options)))
    evaluations.push_back(to_json(evaluation));
  TRY(access.end());
  return json::object{{"evaluations", std::move(evaluations)}};
}

Result<json::value> promote(const Home& home, const std::string& task) {
  const Task found = TRY(resolve(home, task));
  const TaskPolicy policy = TRY(s6::promote(home, found.id));
  return json::object{{"task", policy.task.value},
                      {"name", policy.name},
                      {"mode", "active"},
                      {"artifact", policy.artifact.value},
                      {"threshold", policy.threshold}};
}

Result<json::value> rollback(const Home& home, const std::string& task) {
  const Task found = TRY(resolve(home, task));
  const TaskPolicy policy = TRY(s6::rollback(home, found.id));
  return json::object{{"task", policy.task.value},
                      {"name", policy.name},
                      {"mode", "off"},
                      {"artifact", policy.artifact.value},
                      {"threshold", policy.threshold}};
}

Result<json::value> show_policy(const Home& home) {
  return to_json(TRY(store::load_current_policy(home)));
}

Result<json::value> report(const Home& home, const std::optional<std::filesystem::path>& output) {
  const auto facts = TRY(s6::make_report(home, {}));
  const std::filesystem::path html = output.value_or(home.reports() / "report.html");
  const std::filesystem::path data = std::filesystem::path(html).replace_extension(".json");
  json::value tree = to_json(facts);
  TRY(write_file_atomically(html, s6::to_html(facts)));
  TRY(write_file_atomically(data, json::to_text(tree) + "\n"));
  tree.as_object()["html"] = html.string();
  tree.as_object()["json"] = data.string();
  return tree;
}

}  // namespace understudy::console
