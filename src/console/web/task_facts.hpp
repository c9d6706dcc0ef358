// Tasks as the console's pages show them, with policy, evidence and traffic: what the task pages
// and the routing page have in common. Reads the home on the caller's thread.
#pragma once

#include <string_view>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "console/web/facts.hpp"
#include "records/task.hpp"

namespace understudy::console {

// Without what only the router reads: long, and of no use to a person.
json::object shown(const Task& task);

// The report's entry of a task; null where there is none.
const json::value* entry_of(const json::value& report, std::string_view task);

// What a task can be switched to, by how much its small model answers.
json::array route_modes();

// {task: its policy}, with the mode in force beside the one that was decided.
Result<json::object> policies_by_task(const store::Home& home);

Result<json::value> list_all_tasks(const store::Home& home, Facts& facts);

}  // namespace understudy::console
