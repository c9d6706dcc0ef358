// Which sessions train, which calibrate and which test: whole sessions, never single calls, because
// the calls of one session tell each other's answers. Sessions with an identical request go
// together for the same reason. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/secret.hpp"
#include "records/example.hpp"

namespace understudy::s2 {

struct SessionRequest {
  SessionId session;
  std::string request_hash;
};

// One split per entry. 70 % of the groups of sessions train, 18 % calibrate, 12 % test, by a keyed
// hash of the group, so that a session keeps its split when others come.
std::vector<Split> assign_splits(const std::vector<SessionRequest>& calls, const SecretText& key);

}  // namespace understudy::s2
