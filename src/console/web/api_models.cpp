// What was trained, what is being trained, and what the loop came to.
#include <algorithm>
#include <filesystem>
#include <set>

#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "console/refine_jobs.hpp"
#include "console/web/api.hpp"
#include "console/web/artifact_facts.hpp"
#include "steps/s4_select/model_library.hpp"

namespace understudy::console {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t turns_shown_max = 50;

// Workshops of trainings that are under way: artifacts/.new-ID.
json::array runs_under_way(const store::Home& home) {
  json::array out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.artifacts(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".new-")) continue;
    json::array curve = curve_of(entry.path() / "metrics.jsonl");
    out.push_back(json::object{{"run", name.substr(5)}, {"curve", std::move(curve)}});
  }
  return out;
}

Result<json::value> list_artifacts(const store::Home& home) {
  json::array artifacts;
  if (fs::exists(home.metadata())) {
    const auto metadata = TRY(store::Metadata::open(home));
    std::set<std::string> live;
    for (const TaskPolicy& policy : TRY(store::load_current_policy(home)).tasks)
      if (policy.mode != RouteMode::off) live.insert(policy.artifact.value);
    for (const Task& task : TRY(metadata.tasks())) {
      const auto evaluations = TRY(metadata.evaluations(task.id));
      for (json::value& artifact : TRY(artifacts_of(home, metadata, task))) {
        json::object& one = artifact.as_object();
        const std::string id = json::string_or(artifact, "id");
        one["live"] = live.contains(id);
        one["evaluation"] = nullptr;
        const auto found = std::ranges::find_if(
            evaluations, [&](const Evaluation& e) { return e.artifact.value == id; });
        if (found != evaluations.end()) one["evaluation"] = to_json(*found);
        artifacts.push_back(std::move(artifact));
      }
    }
  }
  json::array bases;
  if (const auto library = s4::list_models(home))
    for (const s4::InstalledModel& model : library->models) bases.push_back(to_json(model));
  return json::object{{"artifacts", std::move(artifacts)},
                      {"runs", runs_under_way(home)},
                      {"bases", std::move(bases)}};
}

}  // namespace

Reply ConsoleApi::models(const ApiRequest&) { return reply_of(list_artifacts(options_.home)); }

Reply ConsoleApi::loop(const ApiRequest&) {
  json::object out{{"daemon", options_.refine != nullptr ? options_.refine->state() : nullptr},
                   {"turns", json::array()}};
  if (!fs::exists(options_.home.metadata())) return reply_of(std::move(out));
  auto turns = list_refinements(options_.home);
  if (!turns) return failure(turns.error());
  json::array& listed = turns->as_array();
  if (listed.size() > turns_shown_max) listed.resize(turns_shown_max);
  out["turns"] = std::move(listed);
  return reply_of(std::move(out));
}

}  // namespace understudy::console
