// `understudy doctor`: looks at everything that a first run may stumble over, and says for each
// finding what to do. Changes nothing, but for keeping what it measured of the machine. Runs on the
// caller's thread; network checks have deadlines of a few seconds.
#pragma once

#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::apps {

enum class Health { ok, note, problem };

struct Finding {
  std::string check;  // "keys", "port"
  Health health = Health::ok;
  std::string finding;
  std::string remedy;  // empty where there is nothing to do
};

// A glance, as `status` takes it every few seconds, asks no upstream and measures nothing.
enum class Reach { network, offline, glance };

// `log`: console::log_statistics of this home, where the caller has read them already.
std::vector<Finding> examine(const store::Home& home, Reach reach,
                             const Result<json::value>* log = nullptr);
json::value to_json(const std::vector<Finding>& findings);

}  // namespace understudy::apps
