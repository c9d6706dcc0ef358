// Finds a request's task in a routing policy: tools and response form must be equal, then the most
// specific template that fits the prompt. For the gateway and for replays alike. Immutable, so
// shared by all threads. One comparison per different beginning of the templates, so that 200 tasks
// with one system prompt are told apart in a few microseconds.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "records/policy.hpp"

namespace understudy {

class PolicyMatcher {
 public:
  PolicyMatcher() = default;
  // Adds a task under the caller's number.
  void add(const TaskPolicy& task, std::size_t number);

  // The number of the task; nothing: none fits. `tools_hash` as StructureKey::tools.
  [[nodiscard]] std::optional<std::size_t> find(const std::string& tools_hash,
                                                const std::string& response_form,
                                                std::string_view prompt) const;
  [[nodiscard]] bool empty() const { return groups_.empty(); }

 private:
  struct Entry {
    std::size_t number = 0;
    std::size_t constant_bytes = 0;
    std::size_t beginning = 0;  // index of its first constant
    PromptTemplate behind_it;   // its template without that constant
  };
  struct Group {
    std::vector<std::string> beginnings;  // different first constants
    std::vector<Entry> entries;           // the most specific template first
  };
  std::map<std::pair<std::string, std::string>, Group> groups_;  // by tools hash, response form
};

}  // namespace understudy
