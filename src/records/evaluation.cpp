#include "records/evaluation.hpp"

namespace understudy {

namespace {

Result<Verdict> parse_verdict(std::string_view text) {
  for (const auto verdict : {Verdict::convert, Verdict::needs_more_data, Verdict::keep_llm}) {
    if (text == to_string(verdict)) return verdict;
  }
  return fail(ErrorCode::corrupt, "no such verdict: " + std::string(text));
}

Agreement agreement_from_json(const json::value& tree, std::string_view key) {
  const json::value* found = json::find(tree, key);
  if (found == nullptr) return {};
  return {.calls = json::find_integer(*found, "calls").value_or(0),
          .kept = json::find_integer(*found, "kept").value_or(0),
          .agreed = json::find_integer(*found, "agreed").value_or(0),
          .lower = json::find_number(*found, "lower").value_or(0),
          .upper = json::find_number(*found, "upper").value_or(1)};
}

json::value to_json(const JudgedQuality& judged) {
  if (judged.judge.empty()) return nullptr;
  return json::object{{"judge", judged.judge},           {"calls", judged.calls},
                      {"equal", judged.equal},           {"slm_better", judged.slm_better},
                      {"llm_better", judged.llm_better}, {"inconsistent", judged.inconsistent}};
}

JudgedQuality judged_from_json(const json::value& tree) {
  const json::value* found = json::find(tree, "judged");
  if (found == nullptr) return {};
  return {.judge = json::string_or(*found, "judge"),
          .calls = json::find_integer(*found, "calls").value_or(0),
          .equal = json::find_integer(*found, "equal").value_or(0),
          .slm_better = json::find_integer(*found, "slm_better").value_or(0),
          .llm_better = json::find_integer(*found, "llm_better").value_or(0),
          .inconsistent = json::find_integer(*found, "inconsistent").value_or(0)};
}

json::value to_json(const TextSimilarity& similarity) {
  if (similarity.calls == 0) return nullptr;
  return json::object{
      {"calls", similarity.calls}, {"chrf", similarity.chrf}, {"rouge_l", similarity.rouge_l}};
}

TextSimilarity similarity_from_json(const json::value& tree) {
  const json::value* found = json::find(tree, "similarity");
  if (found == nullptr) return {};
  return {.calls = json::find_integer(*found, "calls").value_or(0),
          .chrf = json::find_number(*found, "chrf").value_or(0),
          .rouge_l = json::find_number(*found, "rouge_l").value_or(0)};
}

json::value to_json(const CacheBaseline& cache) {
  return json::object{{"calls", cache.calls},   {"hits", cache.hits},
                      {"agreed", cache.agreed}, {"share", cache.share()},
                      {"rate", cache.rate()},   {"share_of_model", cache.share_of_model}};
}

CacheBaseline cache_from_json(const json::value& tree) {
  const json::value* found = json::find(tree, "cache");
  if (found == nullptr) return {};
  return {.calls = json::find_integer(*found, "calls").value_or(0),
          .hits = json::find_integer(*found, "hits").value_or(0),
          .agreed = json::find_integer(*found, "agreed").value_or(0),
          .share_of_model = json::find_number(*found, "share_of_model").value_or(0)};
}

json::value to_json(const CheaperBaseline& cheaper) {
  if (cheaper.model.empty()) return nullptr;
  return json::object{{"model", cheaper.model},
                      {"calls", cheaper.calls},
                      {"agreed", cheaper.agreed},
                      {"rate", cheaper.rate()},
                      {"lower", cheaper.lower},
                      {"upper", cheaper.upper},
                      {"usd_per_call", cheaper.usd_per_call},
                      {"llm_usd_per_call", cheaper.llm_usd_per_call}};
}

CheaperBaseline cheaper_from_json(const json::value& tree) {
  const json::value* found = json::find(tree, "cheaper");
  if (found == nullptr) return {};
  return {.model = json::string_or(*found, "model"),
          .calls = json::find_integer(*found, "calls").value_or(0),
          .agreed = json::find_integer(*found, "agreed").value_or(0),
          .lower = json::find_number(*found, "lower").value_or(0),
          .upper = json::find_number(*found, "upper").value_or(1),
          .usd_per_call = json::find_number(*found, "usd_per_call").value_or(0),
          .llm_usd_per_call = json::find_number(*found, "llm_usd_per_call").value_or(0)};
}

json::value to_json(const OutcomeTest& outcomes) {
  if (outcomes.calls == 0) return nullptr;
  return json::object{{"calls", outcomes.calls},
                      {"llm_right", outcomes.llm_right},
                      {"only_llm_right", outcomes.only_llm_right},
                      {"difference", outcomes.difference},
                      {"difference_lower", outcomes.difference_lower},
                      {"margin", outcomes.margin},
                      {"holds", outcomes.holds}};
}

OutcomeTest outcomes_from_json(const json::value& tree) {
  const json::value* found = json::find(tree, "outcomes");
  if (found == nullptr) return {};
  return {.calls = json::find_integer(*found, "calls").value_or(0),
          .llm_right = json::find_integer(*found, "llm_right").value_or(0),
          .only_llm_right = json::find_integer(*found, "only_llm_right").value_or(0),
          .difference = json::find_number(*found, "difference").value_or(0),
          .difference_lower = json::find_number(*found, "difference_lower").value_or(-1),
          .margin = json::find_number(*found, "margin").value_or(0),
          .holds = json::find_bool(*found, "holds").value_or(false)};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::convert: return "convert";
    case Verdict::needs_more_data: return "needs_more_data";
    case Verdict::keep_llm: return "keep_llm";
  }
  return "keep_llm";
}

json::value to_json(const Agreement& agreement) {
  return json::object{{"calls", agreement.calls},        {"kept", agreement.kept},
                      {"agreed", agreement.agreed},      {"rate", agreement.rate()},
                      {"lower", agreement.lower},        {"upper", agreement.upper},
                      {"coverage", agreement.coverage()}};
}

json::value to_json(const Evaluation& evaluation) {
  json::array pool;
  for (const TaskId& task : evaluation.pool) pool.emplace_back(task.value);
  json::object tree{{"task", evaluation.task.value},
                    {"artifact", evaluation.artifact.value},
                    {"made_at", evaluation.made_at.value},
                    {"alpha", evaluation.alpha},
                    {"delta", evaluation.delta},
                    {"threshold", evaluation.threshold},
                    {"self_consistency", to_json(evaluation.self_consistency)},
                    {"calibration", to_json(evaluation.calibration)},
                    {"test", to_json(evaluation.test)},
                    {"verdict", to_string(evaluation.verdict)},
                    {"calls_needed", evaluation.calls_needed},
                    {"reason", evaluation.reason},
                    {"slm_latency_ms_median", evaluation.slm_latency_ms_median},
                    {"llm_latency_ms_median", evaluation.llm_latency_ms_median},
                    {"judged", to_json(evaluation.judged)},
                    {"similarity", to_json(evaluation.similarity)},
                    {"cache", to_json(evaluation.cache)},
                    {"cheaper", to_json(evaluation.cheaper)},
                    {"outcomes", to_json(evaluation.outcomes)},
                    {"pool", std::move(pool)}};
  if (evaluation.endpoint) tree["endpoint"] = to_json(*evaluation.endpoint);
  if (evaluation.plain_coverage) tree["plain_coverage"] = *evaluation.plain_coverage;
  return tree;
}

Result<Evaluation> evaluation_from_json(const json::value& tree) {
  Evaluation evaluation;
  evaluation.task = {json::string_or(tree, "task")};
  evaluation.artifact = {json::string_or(tree, "artifact")};
  evaluation.made_at = {json::find_integer(tree, "made_at").value_or(0)};
  evaluation.alpha = json::find_number(tree, "alpha").value_or(evaluation.alpha);
  evaluation.delta = json::find_number(tree, "delta").value_or(evaluation.delta);
  evaluation.threshold = json::find_number(tree, "threshold").value_or(evaluation.threshold);
  evaluation.self_consistency = TRY(self_consistency_of(tree));
  evaluation.endpoint = TRY(endpoint_of(tree));
  evaluation.plain_coverage = json::find_number(tree, "plain_coverage");
  evaluation.calibration = agreement_from_json(tree, "calibration");
  evaluation.test = agreement_from_json(tree, "test");
  evaluation.verdict = TRY(parse_verdict(json::string_or(tree, "verdict")));
  evaluation.calls_needed = json::find_integer(tree, "calls_needed").value_or(0);
  evaluation.reason = json::string_or(tree, "reason");
  evaluation.slm_latency_ms_median = json::find_number(tree, "slm_latency_ms_median").value_or(0);
  evaluation.llm_latency_ms_median = json::find_number(tree, "llm_latency_ms_median").value_or(0);
  evaluation.judged = judged_from_json(tree);
  evaluation.similarity = similarity_from_json(tree);
  evaluation.cache = cache_from_json(tree);
  evaluation.cheaper = cheaper_from_json(tree);
  evaluation.outcomes = outcomes_from_json(tree);
  if (const json::array* pool = json::find_array(tree, "pool")) {
    for (const json::value& task : *pool) {
      if (task.is_string()) evaluation.pool.push_back({std::string(task.get_string())});
    }
  }
  return evaluation;
}

}  // namespace understudy
