// Is a person at the other end of this call? S1 converts calls between agents and tools; chats with
// people are recorded apart. A header of the caller says so, the virtual key does, or a rule of the
// configuration. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/net/http.hpp"
#include "live/config/gateway_config.hpp"

namespace understudy::live {

struct CallerFacts {
  const net::HttpRequest& request;
  std::string_view key_name;  // of the virtual key; empty: none
  bool key_is_human_facing = false;
  std::string_view model;
};

bool is_human_facing(const std::vector<HumanFacingRule>& rules, const CallerFacts& facts);

}  // namespace understudy::live
