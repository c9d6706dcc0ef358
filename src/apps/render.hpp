// How results look to a person: the console's JSON results as text. Pure.
#pragma once

#include <string>

#include "base/json.hpp"

namespace understudy::apps {

std::string render_import(const json::value& result);
std::string render_curate(const json::value& result);
std::string render_export(const json::value& result);
std::string render_assignments(const json::value& result);
std::string render_cluster(const json::value& result);
std::string render_tasks(const json::value& result);
std::string render_task(const json::value& result);
std::string render_selection(const json::value& result);
std::string render_bake_off(const json::value& result);
std::string render_artifact(const json::value& result);
std::string render_evaluation(const json::value& result);
std::string render_promotion(const json::value& result);
std::string render_policy(const json::value& result);
std::string render_report(const json::value& result);
// One line without its end: of s4::MachineProfile's JSON.
std::string render_machine(const json::value& result);
std::string render_status(const json::value& result);

}  // namespace understudy::apps
