#include "records/refinement.hpp"

namespace understudy {

namespace {

Result<RefineStage> parse_stage(std::string_view text) {
  for (const auto stage : {RefineStage::begun, RefineStage::curated, RefineStage::assigned,
                           RefineStage::tuned, RefineStage::measured, RefineStage::done}) {
    if (text == to_string(stage)) return stage;
  }
  return fail(ErrorCode::corrupt, "no such stage of a refinement: " + std::string(text));
}

}  // namespace

std::string_view to_string(RefineStage stage) {
  switch (stage) {
    case RefineStage::begun: return "begun";
    case RefineStage::curated: return "curated";
    case RefineStage::assigned: return "assigned";
    case RefineStage::tuned: return "tuned";
    case RefineStage::measured: return "measured";
    case RefineStage::done: return "done";
  }
  return "begun";
}

json::value to_json(const Refinement& refinement) {
  return json::object{{"id", refinement.id},
                      {"task", refinement.task.value},
                      {"stage", to_string(refinement.stage)},
                      {"begun_at", refinement.begun_at.value},
                      {"changed_at", refinement.changed_at.value},
                      {"trigger", refinement.trigger},
                      {"branch", refinement.branch},
                      {"candidate", refinement.candidate},
                      {"dataset", refinement.dataset.value},
                      {"champion", refinement.champion.value},
                      {"challenger", refinement.challenger.value},
                      {"resumed", refinement.resumed},
                      {"outcome", refinement.outcome},
                      {"reason", refinement.reason}};
}

Result<Refinement> refinement_from_json(const json::value& tree) {
  Refinement refinement;
  refinement.id = json::string_or(tree, "id");
  refinement.task = {json::string_or(tree, "task")};
  if (refinement.id.empty() || refinement.task.empty())
    return fail(ErrorCode::corrupt, "a refinement without an id or a task");
  refinement.stage = TRY(parse_stage(json::string_or(tree, "stage")));
  refinement.begun_at = {json::find_integer(tree, "begun_at").value_or(0)};
  refinement.changed_at = {json::find_integer(tree, "changed_at").value_or(0)};
  refinement.trigger = json::string_or(tree, "trigger");
  refinement.branch = json::string_or(tree, "branch");
  refinement.candidate = json::string_or(tree, "candidate");
  refinement.dataset = {json::string_or(tree, "dataset")};
  refinement.champion = {json::string_or(tree, "champion")};
  refinement.challenger = {json::string_or(tree, "challenger")};
  refinement.resumed = json::find_integer(tree, "resumed").value_or(0);
  refinement.outcome = json::string_or(tree, "outcome");
  refinement.reason = json::string_or(tree, "reason");
  return refinement;
}

}  // namespace understudy
