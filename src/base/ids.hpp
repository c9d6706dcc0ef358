// Names of things, each its own type so that they cannot be swapped. A CallId that Understudy makes
// is a UUIDv7 (RFC 9562: sorts by time); an imported record keeps the id that it came with.
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace understudy {

template <class Tag>
struct Id {
  std::string value;
  auto operator<=>(const Id&) const = default;
  [[nodiscard]] bool empty() const { return value.empty(); }
};

using CallId = Id<struct CallTag>;
using SessionId = Id<struct SessionTag>;    // one agent run or conversation
using TaskId = Id<struct TaskTag>;          // "t-" + 10 hex digits, stable across re-clustering
using ArtifactId = Id<struct ArtifactTag>;  // content address of a trained model
using DatasetId = Id<struct DatasetTag>;    // content address of a curated data set

std::string make_uuid7();

}  // namespace understudy

template <class Tag>
struct std::hash<understudy::Id<Tag>> {
  std::size_t operator()(const understudy::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
