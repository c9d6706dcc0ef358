#include "steps/s1_capture/tool_results.hpp"

#include <map>
#include <string>
#include <utility>

#include "base/json.hpp"

namespace understudy::s1 {

namespace {

using wire::Api;
using wire::ItemKind;

bool said_by_model(const wire::RequestItem& item) {
  return item.kind == ItemKind::assistant || item.kind == ItemKind::tool_call;
}

template <class Take>
void each_of(const json::value& item, std::string_view list, Take take) {
  if (const json::array* parts = json::find_array(item, list)) {
    for (const json::value& part : *parts) take(part);
  }
}

// The id of each call that a tool result answers.
std::vector<std::string> answered_ids(Api api, const json::value& item) {
  if (api == Api::responses) return {json::string_or(item, "call_id")};
  if (api != Api::messages) return {json::string_or(item, "tool_call_id")};
  std::vector<std::string> ids;
  each_of(item, "content", [&](const json::value& part) {
    if (json::string_or(part, "type") == "tool_result")
      ids.push_back(json::string_or(part, "tool_use_id"));
  });
  return ids;
}

using Names = std::map<std::string, std::string>;  // of tools, by the call's id

// Of the calls in something that the model said.
void add_names(Api api, const json::value& item, Names& names) {
  const auto add = [&names](std::string id, const json::value& tool) {
    names.insert_or_assign(std::move(id), json::string_or(tool, "name"));
  };
  if (api == Api::responses) {
    add(json::string_or(item, "call_id"), item);
  } else if (api == Api::messages) {
    each_of(item, "content",
            [&](const json::value& part) { add(json::string_or(part, "id"), part); });
  } else {
    each_of(item, "tool_calls", [&](const json::value& call) {
      if (const json::value* function = json::find(call, "function"))
        add(json::string_or(call, "id"), *function);
    });
  }
}

}  // namespace

std::vector<ToolResult> tool_results(Api api, const wire::RequestScan& scan,
                                     std::string_view body) {
  const auto& items = scan.items;
  std::size_t first = items.size();
  while (first > 0 && !said_by_model(items[first - 1])) --first;
  std::vector<ToolResult> results;
  for (std::size_t i = first; i < items.size(); ++i) {
    if (items[i].kind != ItemKind::tool_result) continue;
    const auto item = json::parse(wire::slice(body, items[i].range));
    if (!item) continue;
    for (std::string& id : answered_ids(api, *item)) {
      results.push_back(
          {.tool_call_id = std::move(id), .tool = {}, .item = static_cast<std::int32_t>(i)});
    }
  }
  if (results.empty()) return results;
  std::size_t answer = first;
  while (answer > 0 && said_by_model(items[answer - 1])) --answer;
  Names names;
  for (std::size_t i = answer; i < first; ++i) {
    if (const auto item = json::parse(wire::slice(body, items[i].range)))
      add_names(api, *item, names);
  }
  for (ToolResult& result : results) {
    if (const auto found = names.find(result.tool_call_id); found != names.end())
      result.tool = found->second;
  }
  return results;
}

}  // namespace understudy::s1
