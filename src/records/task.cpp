#include "records/task.hpp"

#include <array>
#include <utility>

namespace understudy {

namespace {

json::array to_array(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

constexpr std::array slot_types = {
    std::pair{SlotType::empty, "empty"},   std::pair{SlotType::number, "number"},
    std::pair{SlotType::date, "date"},     std::pair{SlotType::identifier, "identifier"},
    std::pair{SlotType::choice, "choice"}, std::pair{SlotType::line, "line"},
    std::pair{SlotType::list, "list"},     std::pair{SlotType::json, "json"},
    std::pair{SlotType::code, "code"},     std::pair{SlotType::text, "text"}};

json::array slots_to_json(const std::vector<SlotFacts>& slots) {
  json::array out;
  for (const SlotFacts& slot : slots) {
    out.push_back(json::object{{"type", to_string(slot.type)},
                               {"distinct", slot.distinct},
                               {"bytes_median", slot.bytes_median},
                               {"bytes_max", slot.bytes_max}});
  }
  return out;
}

json::array lines_to_json(const std::vector<std::uint32_t>& lines) {
  json::array out;
  for (const std::uint32_t line : lines) out.emplace_back(line);
  return out;
}

json::array profile_to_json(const std::vector<WordWeight>& profile) {
  json::array out;
  for (const WordWeight& entry : profile) out.push_back(json::array{entry.word, entry.weight});
  return out;
}

json::object map_to_json(const MapPlace& map) {
  json::array calls;
  for (const MapPoint& point : map.calls)
    calls.push_back(json::object{{"call", point.call.value}, {"x", point.x}, {"y", point.y}});
  return {{"x", map.x}, {"y", map.y}, {"radius", map.radius}, {"calls", std::move(calls)}};
}

// The items of an array, each read by `read`; nothing where there is none.
template <class Read>
void each_item(const json::value& tree, std::string_view key, Read read) {
  if (const json::array* items = json::find_array(tree, key)) {
    for (const json::value& item : *items) read(item);
  }
}

std::vector<std::uint32_t> lines_from_json(const json::value& tree) {
  std::vector<std::uint32_t> lines;
  each_item(tree, "lines", [&](const json::value& item) {
    if (item.is_int64()) lines.push_back(static_cast<std::uint32_t>(item.get_int64()));
  });
  return lines;
}

std::vector<WordWeight> profile_from_json(const json::value& tree) {
  std::vector<WordWeight> profile;
  each_item(tree, "profile", [&](const json::value& item) {
    if (!item.is_array() || item.get_array().size() != 2) return;
    const json::value& word = item.get_array()[0];
    const json::value& weight = item.get_array()[1];
    if (word.is_int64() && weight.is_double()) {
      profile.push_back(
          {.word = static_cast<std::uint32_t>(word.get_int64()), .weight = weight.get_double()});
    }
  });
  return profile;
}

MapPlace map_from_json(const json::value& tree) {
  const auto number = [](const json::value& in, std::string_view name) {
    return json::find_number(in, name).value_or(0);
  };
  MapPlace map{.x = number(tree, "x"),
               .y = number(tree, "y"),
               .radius = number(tree, "radius"),
               .calls = {}};
  each_item(tree, "calls", [&](const json::value& item) {
    map.calls.push_back(
        {.call = {json::string_or(item, "call")}, .x = number(item, "x"), .y = number(item, "y")});
  });
  return map;
}

Result<std::vector<SlotFacts>> slots_from_json(const json::value& tree) {
  std::vector<SlotFacts> slots;
  const json::array* items = json::find_array(tree, "slots");
  if (items == nullptr) return slots;  // of a task stored before slots had types
  for (const json::value& item : *items) {
    slots.push_back({.type = TRY(parse_slot_type(json::string_or(item, "type"))),
                     .distinct = json::find_integer(item, "distinct").value_or(0),
                     .bytes_median = json::find_integer(item, "bytes_median").value_or(0),
                     .bytes_max = json::find_integer(item, "bytes_max").value_or(0)});
  }
  return slots;
}

}  // namespace

std::string_view to_string(SlotType type) {
  for (const auto& [known, name] : slot_types) {
    if (known == type) return name;
  }
  return "text";
}

Result<SlotType> parse_slot_type(std::string_view text) {
  for (const auto& [known, name] : slot_types) {
    if (text == name) return known;
  }
  return fail(ErrorCode::corrupt, "no such slot type: " + std::string(text));
}

std::vector<std::string> json_strings(const json::value& tree, std::string_view key) {
  std::vector<std::string> texts;
  if (const json::array* items = json::find_array(tree, key)) {
    for (const json::value& item : *items) {
      if (item.is_string()) texts.emplace_back(item.get_string());
    }
  }
  return texts;
}

json::value to_json(const StructureKey& key) {
  return json::object{
      {"skeleton", key.skeleton}, {"tools", key.tools}, {"response_form", key.response_form}};
}

StructureKey structure_key_from_json(const json::value& tree) {
  return {.skeleton = json::string_or(tree, "skeleton"),
          .tools = json::string_or(tree, "tools"),
          .response_form = json::string_or(tree, "response_form")};
}

json::value to_json(const Task& task) {
  const TaskStatistics& s = task.statistics;
  return json::object{
      {"id", task.id.value},
      {"name", task.name},
      {"template_id", task.template_id},
      {"key", to_json(task.key)},
      {"template", to_json(task.prompt_template)},
      {"template_text", task.prompt_template.to_text()},
      {"separable", task.separable},
      {"answer_form", to_string(task.answer_form)},
      {"answer_set", to_array(task.answer_set)},
      {"tool_names", to_array(task.tool_names)},
      {"slots", slots_to_json(task.slots)},
      {"lines", lines_to_json(task.lines)},
      {"profile", profile_to_json(task.profile)},
      {"statistics", json::object{{"calls", s.calls},
                                  {"sessions", s.sessions},
                                  {"prompt_tokens", s.prompt_tokens},
                                  {"completion_tokens", s.completion_tokens},
                                  {"share_of_calls", s.share_of_calls},
                                  {"share_of_tokens", s.share_of_tokens},
                                  {"cost_usd", s.cost_usd},
                                  {"share_of_cost", s.share_of_cost},
                                  {"answer_entropy_bits", s.answer_entropy_bits},
                                  {"distinct_answers", s.distinct_answers},
                                  {"latency_ms_median", s.latency_ms_median},
                                  {"latency_ms_p95", s.latency_ms_p95},
                                  {"slot_bytes_p99", s.slot_bytes_p99},
                                  {"answer_bytes_p99", s.answer_bytes_p99}}},
      {"replaceability", json::object{{"estimate", task.replaceability.estimate},
                                      {"reason", task.replaceability.reason}}},
      {"map", map_to_json(task.map)},
  };
}

Result<Task> task_from_json(const json::value& tree) {
  Task task;
  task.id = {json::string_or(tree, "id")};
  if (task.id.empty()) return fail(ErrorCode::corrupt, "a stored task without an id");
  task.name = json::string_or(tree, "name");
  task.template_id = json::string_or(tree, "template_id");
  if (const json::value* key = json::find(tree, "key")) task.key = structure_key_from_json(*key);
  if (const json::value* stored = json::find(tree, "template")) {
    task.prompt_template = TRY(prompt_template_from_json(*stored));
  }
  task.separable = json::find_bool(tree, "separable").value_or(false);
  task.answer_form = TRY(parse_answer_form(json::string_or(tree, "answer_form")));
  task.answer_set = json_strings(tree, "answer_set");
  task.tool_names = json_strings(tree, "tool_names");
  task.slots = TRY(slots_from_json(tree));
  task.lines = lines_from_json(tree);
  task.profile = profile_from_json(tree);
  if (const json::value* s = json::find(tree, "statistics")) {
    const auto integer = [s](std::string_view name) {
      return json::find_integer(*s, name).value_or(0);
    };
    const auto number = [s](std::string_view name) {
      return json::find_number(*s, name).value_or(0);
    };
    task.statistics = {.calls = integer("calls"),
                       .sessions = integer("sessions"),
                       .prompt_tokens = integer("prompt_tokens"),
                       .completion_tokens = integer("completion_tokens"),
                       .share_of_calls = number("share_of_calls"),
                       .share_of_tokens = number("share_of_tokens"),
                       .cost_usd = number("cost_usd"),
                       .share_of_cost = number("share_of_cost"),
                       .answer_entropy_bits = number("answer_entropy_bits"),
                       .distinct_answers = integer("distinct_answers"),
                       .latency_ms_median = number("latency_ms_median"),
                       .latency_ms_p95 = number("latency_ms_p95"),
                       .slot_bytes_p99 = integer("slot_bytes_p99"),
                       .answer_bytes_p99 = integer("answer_bytes_p99")};
  }
  if (const json::value* estimate = json::find(tree, "replaceability")) {
    task.replaceability = {.estimate = json::find_number(*estimate, "estimate").value_or(0),
                           .reason = json::string_or(*estimate, "reason")};
  }
  if (const json::value* map = json::find(tree, "map")) task.map = map_from_json(*map);
  return task;
}

}  // namespace understudy
