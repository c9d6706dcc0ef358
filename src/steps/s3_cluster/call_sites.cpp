#include "steps/s3_cluster/call_sites.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "adapters/cluster/leiden.hpp"
#include "adapters/cluster/neighbours.hpp"
#include "adapters/cluster/svd.hpp"

namespace understudy::s3 {

namespace {

enum class Side { system, user };

const std::vector<LineMark>& lines_of(const CallView& view, Side side) {
  return side == Side::system ? view.system_lines : view.user_lines;
}

double line_weight(std::uint32_t bytes) {
  constexpr double bytes_counted_max = 200;
  return std::sqrt(std::min(static_cast<double>(bytes), bytes_counted_max));
}

// The lines of one side that recur over calls and sessions in a group of calls.
class TemplateLines {
 public:
  TemplateLines(const std::vector<CallView>& views, const std::vector<std::uint32_t>& calls,
                Side side, const CallSiteOptions& options) {
    struct Seen {
      std::uint32_t calls = 0;
      std::uint32_t bytes = 0;
      std::vector<std::uint32_t> sessions;  // the first few distinct ones
      std::vector<std::uint64_t> messages;
    };
    const auto note = [](auto& values, auto value) {
      constexpr std::size_t distinct_counted = 8;
      if (values.size() < distinct_counted && !std::ranges::contains(values, value))
        values.push_back(value);
    };
    std::unordered_map<std::uint64_t, Seen> seen;
    for (const std::uint32_t call : calls) {
      for (const LineMark& line : lines_of(views[call], side)) {
        Seen& entry = seen[line.mask];
        ++entry.calls;
        entry.bytes = line.bytes;
        note(entry.sessions, views[call].session);
        note(entry.messages, line.message);
      }
    }
    // A user's line needs different messages around it: what is said often ("Yes, please.") is no
    // template. A system prompt may be one constant.
    const std::size_t messages_min = side == Side::user ? 3 : 1;
    for (const auto& [mask, entry] : seen) {
      if (entry.calls < options.calls_min || entry.sessions.size() < options.sessions_min ||
          entry.messages.size() < messages_min) {
        continue;
      }
      const double frequency = static_cast<double>(entry.calls) / static_cast<double>(calls.size());
      places_.emplace(
          mask, Line{.weight = line_weight(entry.bytes), .idf = 1.0 - 0.25 * std::log(frequency)});
    }
    std::vector<std::uint64_t> masks;
    for (const auto& [mask, line] : places_) masks.push_back(mask);
    std::ranges::sort(masks);
    for (std::uint32_t i = 0; i < masks.size(); ++i) places_.at(masks[i]).column = i;
  }

  struct Line {
    double weight = 0;
    double idf = 0;
    std::uint32_t column = 0;
  };
  [[nodiscard]] const Line* find(std::uint64_t mask) const {
    const auto found = places_.find(mask);
    return found == places_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(places_.size()); }

 private:
  std::unordered_map<std::uint64_t, Line> places_;
};

void append_side(const CallView& view, Side side, const TemplateLines& known,
                 std::uint32_t first_column, cluster::SparseRow& row) {
  double norm = 0;
  const std::size_t begin = row.size();
  for (const LineMark& mark : lines_of(view, side)) {
    const TemplateLines::Line* line = known.find(mark.mask);
    if (line == nullptr) continue;
    const double value = line->weight * line->idf;
    norm += value * value;
    row.push_back({.column = first_column + line->column, .value = static_cast<float>(value)});
  }
  for (std::size_t i = begin; i < row.size(); ++i)
    row[i].value = static_cast<float>(row[i].value / std::sqrt(norm));
}

std::vector<CoreLine> core_of(const std::vector<CallView>& views,
                              const std::vector<std::uint32_t>& calls, Side side,
                              const TemplateLines& known) {
  constexpr double share_min = 0.8;
  std::unordered_map<std::uint64_t, std::size_t> counts;
  for (const std::uint32_t call : calls) {
    for (const LineMark& line : lines_of(views[call], side)) ++counts[line.mask];
  }
  std::vector<CoreLine> core;
  for (const auto& [mask, count] : counts) {
    const TemplateLines::Line* line = known.find(mask);
    if (line == nullptr) continue;
    if (static_cast<double>(count) < share_min * static_cast<double>(calls.size())) continue;
    core.push_back({.mask = mask, .weight = line->weight});
  }
  std::ranges::sort(core, {}, &CoreLine::mask);
  return core;
}

bool agree(const CoreOverlap& sides) { return sides.of_smaller >= 0.7 && sides.of_larger >= 0.35; }

// One group: calls of equal tools and response form.
class Group {
 public:
  Group(const std::vector<CallView>& views, std::vector<std::uint32_t> calls,
        const CallSiteOptions& options)
      : views_(views),
        calls_(std::move(calls)),
        options_(options),
        system_(views, calls_, Side::system, options),
        user_(views, calls_, Side::user, options) {}

  Result<std::vector<CallSite>> sites() {
    make_nodes();
    const std::vector<std::uint32_t> communities = TRY(cut_graph());
    std::map<std::uint32_t, CallSite> by_community;
    for (std::size_t node = 0; node < nodes_.size(); ++node)
      by_community[communities[node]].calls.append_range(nodes_[node]);
    std::vector<CallSite> found;
    for (auto& [community, site] : by_community) found.push_back(std::move(site));
    refresh(found);
    merge(found);
    settle(found);
    move_strays(found);
    merge(found);
    return found;
  }

 private:
  // Calls with the same template lines are one node: 15,000 free utterances below one system prompt
  // are one point, not a cloud to be cut.
  void make_nodes() {
    std::map<std::vector<std::uint32_t>, std::size_t> known;
    for (const std::uint32_t call : calls_) {
      cluster::SparseRow row;
      append_side(views_[call], Side::system, system_, 0, row);
      append_side(views_[call], Side::user, user_, system_.size(), row);
      std::ranges::sort(row, {}, &cluster::Entry::column);
      std::vector<std::uint32_t> columns;
      for (const cluster::Entry& entry : row) columns.push_back(entry.column);
      const auto [place, fresh] = known.try_emplace(std::move(columns), nodes_.size());
      if (fresh) {
        nodes_.emplace_back();
        rows_.push_back(std::move(row));
      }
      nodes_[place->second].push_back(call);
    }
  }

  // A node whose calls are all of one session has that session as its group.
  [[nodiscard]] std::vector<std::uint32_t> node_groups() const {
    std::vector<std::uint32_t> groups;
    auto fresh = static_cast<std::uint32_t>(views_.size());  // above every session number
    for (const auto& node : nodes_) {
      const std::uint32_t session = views_[node.front()].session;
      const bool single = std::ranges::all_of(
          node, [&](std::uint32_t call) { return views_[call].session == session; });
      groups.push_back(single ? session : fresh++);
    }
    return groups;
  }

  [[nodiscard]] Result<std::vector<std::uint32_t>> cut_graph() const {
    const cluster::DenseRows dense =
        cluster::truncated_svd(rows_, {.dimensions = 96, .seed = options_.seed});
    const auto edges = TRY(cluster::nearest_neighbours(dense, node_groups(),
                                                       {.neighbours = 15, .similarity_min = 0.4F}));
    // Three times the usual resolution: clusters of two sites cannot be undone by merging.
    return cluster::leiden(nodes_.size(), edges, {.resolution = 3.0, .seed = options_.seed});
  }

  void refresh(CallSite& site) const {
    std::ranges::sort(site.calls);
    site.system_core = core_of(views_, site.calls, Side::system, system_);
    site.user_core = core_of(views_, site.calls, Side::user, user_);
  }
  void refresh(std::vector<CallSite>& found) const {
    for (CallSite& site : found) refresh(site);
    std::erase_if(found, [](const CallSite& site) { return site.calls.empty(); });
    std::ranges::sort(found, [](const CallSite& a, const CallSite& b) {
      return a.calls.size() != b.calls.size() ? a.calls.size() > b.calls.size()
                                              : a.calls.front() < b.calls.front();
    });
  }

  // Largest first: each smaller one joins the first larger that it agrees with on both sides.
  void merge(std::vector<CallSite>& found) const {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < found.size(); ++i) {
        for (std::size_t j = i + 1; j < found.size(); ++j) {
          if (found[j].calls.empty() || found[i].calls.empty()) continue;
          if (!agree(overlap(found[i].user_core, found[j].user_core)) ||
              !agree(overlap(found[i].system_core, found[j].system_core))) {
            continue;
          }
          found[i].calls.append_range(found[j].calls);
          found[j].calls.clear();
          refresh(found[i]);
          changed = true;
        }
      }
      refresh(found);
    }
  }

  // The graph sees neighbours only: a call of one site that shares its content with calls of
  // another may end there. Each node moves to the site whose mean lines it resembles most.
  void settle(std::vector<CallSite>& found) const {
    std::vector<std::size_t> node_of(views_.size());
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      for (const std::uint32_t call : nodes_[node]) node_of[call] = node;
    }
    constexpr int rounds = 3;
    for (int round = 0; round < rounds; ++round) {
      const std::size_t settled = std::min(found.size(), settled_sites_max);
      std::vector<std::vector<float>> means;
      for (std::size_t site = 0; site < settled; ++site)
        means.push_back(mean_of(found[site].calls, node_of));
      std::vector<std::vector<std::uint32_t>> members(settled);
      for (std::size_t site = 0; site < settled; ++site) {
        for (const std::uint32_t call : found[site].calls) {
          std::size_t best = site;
          double best_similarity = 1.05 * similarity(rows_[node_of[call]], means[site]);
          for (std::size_t other = 0; other < settled; ++other) {
            const double near = similarity(rows_[node_of[call]], means[other]);
            if (near <= best_similarity) continue;
            best = other;
            best_similarity = near;
          }
          members[best].push_back(call);
        }
      }
      for (std::size_t site = 0; site < settled; ++site)
        found[site].calls = std::move(members[site]);
      refresh(found);
    }
  }

  static constexpr std::size_t settled_sites_max = 256;  // the largest ones

  [[nodiscard]] std::vector<float> mean_of(const std::vector<std::uint32_t>& calls,
                                           const std::vector<std::size_t>& node_of) const {
    std::vector<float> mean(system_.size() + user_.size());
    for (const std::uint32_t call : calls) {
      for (const cluster::Entry& entry : rows_[node_of[call]]) mean[entry.column] += entry.value;
    }
    const float length =
        std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0F));
    for (float& value : mean) value = length > 0 ? value / length : 0;
    return mean;
  }

  static double similarity(const cluster::SparseRow& row, const std::vector<float>& mean) {
    double sum = 0;
    for (const cluster::Entry& entry : row)
      sum += static_cast<double>(entry.value) * static_cast<double>(mean[entry.column]);
    return sum;
  }

  [[nodiscard]] bool is_task_sized(const CallSite& site) const {
    std::set<std::uint32_t> sessions;
    for (const std::uint32_t call : site.calls) sessions.insert(views_[call].session);
    return site.calls.size() >= options_.calls_min && sessions.size() >= options_.sessions_min;
  }

  // A call belongs to the most specific template that it holds. Sites too small to be a task, and
  // those that only shared content holds together, give their calls away.
  void move_strays(std::vector<CallSite>& found) const {
    constexpr double held_min = 0.7;  // as for merging two sites
    constexpr double more_specific = 1.5;
    std::vector<double> weights;  // 0: takes no calls
    for (const CallSite& site : found)
      weights.push_back(is_task_sized(site) ? weight_of(site.user_core) : 0);
    std::vector<std::vector<std::uint32_t>> members(found.size());
    for (std::size_t own = 0; own < found.size(); ++own) {
      for (const std::uint32_t call : found[own].calls) {
        const MaskSet system = masks_of(views_[call], Side::system);
        const MaskSet user = masks_of(views_[call], Side::user);
        std::size_t best = own;
        double best_weight = more_specific * weights[own];
        for (std::size_t other = 0; other < found.size(); ++other) {
          if (other == own || weights[other] <= best_weight) continue;
          if (held(found[other].user_core, user) < held_min ||
              held(found[other].system_core, system) < held_min) {
            continue;
          }
          best = other;
          best_weight = weights[other];
        }
        members[best].push_back(call);
      }
    }
    for (std::size_t site = 0; site < found.size(); ++site)
      found[site].calls = std::move(members[site]);
    refresh(found);
  }

  using MaskSet = std::unordered_set<std::uint64_t>;
  static MaskSet masks_of(const CallView& view, Side side) {
    MaskSet masks;
    for (const LineMark& line : lines_of(view, side)) masks.insert(line.mask);
    return masks;
  }
  static double weight_of(const std::vector<CoreLine>& core) {
    return std::accumulate(core.begin(), core.end(), 0.0,
                           [](double sum, const CoreLine& line) { return sum + line.weight; });
  }
  // Share of the core that stands in the masks; all of an empty one.
  static double held(const std::vector<CoreLine>& core, const MaskSet& masks) {
    double have = 0;
    for (const CoreLine& line : core) have += masks.contains(line.mask) ? line.weight : 0;
    return core.empty() ? 1 : have / weight_of(core);
  }

  const std::vector<CallView>& views_;
  std::vector<std::uint32_t> calls_;
  CallSiteOptions options_;
  TemplateLines system_;
  TemplateLines user_;
  std::vector<std::vector<std::uint32_t>> nodes_;  // calls of equal rows
  std::vector<cluster::SparseRow> rows_;           // one per node
};

}  // namespace

CoreOverlap overlap(const std::vector<CoreLine>& a, const std::vector<CoreLine>& b) {
  if (a.empty() && b.empty()) return {.of_smaller = 1, .of_larger = 1};
  if (a.empty() || b.empty()) return {};
  const auto total = [](const std::vector<CoreLine>& core) {
    return std::accumulate(core.begin(), core.end(), 0.0,
                           [](double sum, const CoreLine& line) { return sum + line.weight; });
  };
  double shared = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (i->mask == j->mask) {
      shared += i->weight;
      ++i;
      ++j;
    } else if (i->mask < j->mask) {
      ++i;
    } else {
      ++j;
    }
  }
  const auto [smaller, larger] = std::minmax({total(a), total(b)});
  return {.of_smaller = shared / smaller, .of_larger = shared / larger};
}

Result<std::vector<CallSite>> find_call_sites(const std::vector<CallView>& views,
                                              const CallSiteOptions& options) {
  std::map<std::pair<std::string, std::string>, std::vector<std::uint32_t>> groups;
  for (std::uint32_t i = 0; i < views.size(); ++i)
    groups[{views[i].tools, views[i].response_form}].push_back(i);
  std::vector<CallSite> sites;
  for (auto& [key, calls] : groups)
    sites.append_range(TRY(Group(views, std::move(calls), options).sites()));
  return sites;
}

}  // namespace understudy::s3
