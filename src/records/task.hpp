// A recurring kind of call that S3 found: how to recognise it from the prompt alone, how its
// answers look, how much of the traffic it is, and whether a small model could take it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/answer.hpp"
#include "records/prompt_template.hpp"

namespace understudy {

// What must be equal before two calls can be of one task; computed from the request alone.
struct StructureKey {
  std::string skeleton;       // hash of the masked, frequent lines of the system prompt
  std::string tools;          // hash of the sorted tool names, empty without tools
  std::string response_form;  // "text", "json_object", "json_schema:HASH"

  auto operator<=>(const StructureKey&) const = default;
};

struct TaskStatistics {
  std::int64_t calls = 0;  // repeats counted
  std::int64_t sessions = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  double share_of_calls = 0;
  double share_of_tokens = 0;
  double cost_usd = 0;  // at list prices; calls of unpriced models cost nothing here
  double share_of_cost = 0;
  double answer_entropy_bits = 0;  // of the distinct canonical answers
  std::int64_t distinct_answers = 0;
  double latency_ms_median = 0;
  double latency_ms_p95 = 0;
  std::int64_t slot_bytes_p99 = 0;    // what a small model would have to read
  std::int64_t answer_bytes_p99 = 0;  // and to write
};

struct Replaceability {
  double estimate = 0;  // 0..1, a heuristic before anything is trained
  std::string reason;
};

// What a slot holds, from the values that were seen in it.
enum class SlotType { empty, number, date, identifier, choice, line, list, json, code, text };
std::string_view to_string(SlotType type);
Result<SlotType> parse_slot_type(std::string_view text);

struct SlotFacts {
  SlotType type = SlotType::text;
  std::int64_t distinct = 0;  // values, of the calls that were looked at
  std::int64_t bytes_median = 0;
  std::int64_t bytes_max = 0;
};

// How much a word in a prompt's end speaks for the task and against the others of its template, as
// a logarithm; the word as its 32-bit hash.
struct WordWeight {
  std::uint32_t word = 0;
  double weight = 0;
};

// Where the dashboard draws a task (in -1..1) and some of its calls.
struct MapPoint {
  CallId call;
  double x = 0;
  double y = 0;
};
struct MapPlace {
  double x = 0;
  double y = 0;
  double radius = 0;
  std::vector<MapPoint> calls;
};

struct Task {
  TaskId id;
  std::string template_id;  // "p-" and 10 hex digits; stays when the prompt gets a new version
  std::string name;
  StructureKey key;
  PromptTemplate prompt_template;  // over wire::prompt_text(); no constants = nothing in common
  bool separable = true;  // false: another task has the same prompts, so it cannot be routed
  AnswerForm answer_form = AnswerForm::text;
  std::vector<std::string> answer_set;  // canonical labels of a closed set, sorted; else empty
  std::vector<std::string> tool_names;  // tools that its answers call, sorted
  std::vector<SlotFacts> slots;         // one per slot of the template
  std::vector<std::uint32_t> lines;     // 32-bit hashes of the template's masked lines, sorted
  std::vector<WordWeight> profile;  // heaviest first; empty where no other task has the template
  TaskStatistics statistics;
  Replaceability replaceability;
  MapPlace map;
};

json::value to_json(const StructureKey& key);
StructureKey structure_key_from_json(const json::value& tree);
std::vector<std::string> json_strings(const json::value& tree,
                                      std::string_view key);  // non-strings skipped
json::value to_json(const Task& task);
Result<Task> task_from_json(const json::value& tree);

struct Assignment {
  CallId call;
  TaskId task;  // empty: the unassigned tail
  double confidence = 0;
};

}  // namespace understudy
