// Text for people from the results of the jobs on the log, on keys and on the audit trail. Pure.
#pragma once

#include <string>

#include "base/json.hpp"

namespace understudy::apps {

std::string render_log_statistics(const json::value& result);
std::string render_log_verification(const json::value& result);
std::string render_log_keys(const json::value& result);
std::string render_erasure(const json::value& result);
std::string render_new_keys(const json::value& result);
std::string render_keys(const json::value& result);
std::string render_rotation(const json::value& result);
std::string render_protection(const json::value& result);
std::string render_audit(const json::value& result);
std::string render_audit_verification(const json::value& result);

}  // namespace understudy::apps
