// The control plane's jobs: every verb of the command line but `serve` (those on the log and on
// keys in log_jobs.hpp and key_jobs.hpp), as a function from a home directory to a JSON result. The
// command line prints it (`--json`: as it is); the web console will serve the same. Jobs load the
// role keys that they need; a missing or wrong key is an error of code `denied`. Each job runs on
// the caller's thread and may use worker threads of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/model.hpp"
#include "records/self_consistency.hpp"

namespace understudy::console {

using store::Home;

Result<json::value> import_calls(const Home& home, const std::vector<std::filesystem::path>& files);
// Writes a page of what was done to `page` (default: reports/curate.html below home): "html".
Result<json::value> curate(const Home& home, const std::optional<std::filesystem::path>& page);
struct ClusterRequest {
  std::string embeddings;       // an API's URL, or a GGUF file; empty: none
  std::string embedding_model;  // as the API names it
};
// The API's key, where it needs one, is $UNDERSTUDY_EMBEDDINGS_KEY.
Result<json::value> cluster(const Home& home, const ClusterRequest& request);
Result<json::value> assign_new_calls(const Home& home);  // to the tasks that there are

Result<json::value> list_tasks(const Home& home);
Result<json::value> show_task(const Home& home, const std::string& task, std::size_t examples);
// One {"call_id","task_id"} a line, in the order of the calls' ids; task_id null for the unassigned
// tail.
Result<std::string> export_assignments(const Home& home);

// `task` in all that follows: a task id or an unambiguous beginning of one.
Result<json::value> select_candidates(const Home& home, const std::string& task);

struct EvaluateRequest {
  std::string task;
  double alpha = 0.05;
  double delta = 0.1;
  std::string judge_url;  // empty: no judge; its key, where it needs one, is $UNDERSTUDY_JUDGE_KEY
  std::string judge_model;
  // A cheaper API model as a baseline; empty: none; its key, where it needs one, is
  // $UNDERSTUDY_CHEAPER_KEY. The model defaults to [cheaper] of prices.toml.
  std::string cheaper_url;
  std::string cheaper_model;
  SelfConsistency self_consistency = {};  // how the model is asked
  // The server that answers for an adapter; empty: our own. Its key, where it needs one, is
  // $UNDERSTUDY_ENDPOINT_KEY.
  std::string endpoint_url;
  std::string endpoint_model;
  std::string endpoint_form = "response_format";
  std::vector<std::string> pool_with;  // further tasks that share one proof with `task`
};
// The evaluation; of a pool {"evaluations": one for each task}.
Result<json::value> evaluate(const Home& home, const EvaluateRequest& request);

Result<json::value> promote(const Home& home, const std::string& task);
Result<json::value> rollback(const Home& home, const std::string& task);
Result<json::value> show_policy(const Home& home);

// Writes the self-contained page to `output` (default: reports/report.html below home) and the same
// facts as JSON beside it; returns the facts and "html", "json": the two paths.
Result<json::value> report(const Home& home, const std::optional<std::filesystem::path>& output);

}  // namespace understudy::console
