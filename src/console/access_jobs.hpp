// The jobs behind `understudy access`: who may call the gateway. See console/jobs.hpp.
#pragma once

#include <string>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/access.hpp"

namespace understudy::console {

struct KeyRequest {
  std::string name;
  std::string tenant;
  KeyLimits limits;
  std::string expires;  // empty: never
  bool human_facing = false;
};

struct TokenRequest {
  std::string name;  // empty: the role's name
  std::string role;
  std::string expires;
};

// The result's "secret" is shown once.
Result<json::value> add_key(const store::Home& home, const KeyRequest& request);
Result<json::value> rotate_key(const store::Home& home, const std::string& name);
Result<json::value> add_token(const store::Home& home, const TokenRequest& request);
Result<json::value> revoke_access(const store::Home& home, const std::string& name);
// {"keys": [with "spent"], "tokens": [...]}
Result<json::value> list_access(const store::Home& home);

}  // namespace understudy::console
