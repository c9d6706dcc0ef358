#include "steps/s2_curate/splits.hpp"

#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "steps/s2_curate/keyed_stream.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint32_t thousandths = 1000;
constexpr std::uint32_t train_below = 700;
constexpr std::uint32_t calibration_below = 880;

// Union-find with path halving.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root_of(std::size_t item) {
    while (parent_[item] != item) item = parent_[item] = parent_[parent_[item]];
    return item;
  }
  void join(std::size_t a, std::size_t b) { parent_[root_of(a)] = root_of(b); }

 private:
  std::vector<std::size_t> parent_;
};

Split split_of(const SecretText& key, const std::string& group) {
  const std::uint32_t drawn = KeyedStream(key, "split/" + group).below(thousandths);
  if (drawn < train_below) return Split::train;
  return drawn < calibration_below ? Split::calibration : Split::test;
}

}  // namespace

std::vector<Split> assign_splits(const std::vector<SessionRequest>& calls, const SecretText& key) {
  Groups groups(calls.size());
  std::unordered_map<std::string_view, std::size_t> by_session;
  std::unordered_map<std::string_view, std::size_t> by_request;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].session.empty())
      groups.join(i, by_session.try_emplace(calls[i].session.value, i).first->second);
    groups.join(i, by_request.try_emplace(calls[i].request_hash, i).first->second);
  }
  // A group is named by its smallest session, or request where it has none: the order of the calls
  // does not matter.
  std::vector<std::string> names(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    std::string& name = names[groups.root_of(i)];
    const std::string& own =
        calls[i].session.empty() ? calls[i].request_hash : calls[i].session.value;
    if (name.empty() || own < name) name = own;
  }
  std::vector<Split> splits;
  splits.reserve(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i)
    splits.push_back(split_of(key, names[groups.root_of(i)]));
  return splits;
}

}  // namespace understudy::s2
