#include "steps/s3_cluster/site_split.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_set>

#include "steps/s3_cluster/common_runs.hpp"
#include "steps/s3_cluster/line_mask.hpp"
#include "steps/s3_cluster/text_clusters.hpp"

namespace understudy::s3 {

namespace {

using Calls = std::vector<std::uint32_t>;

class Splitter {
 public:
  Splitter(const std::vector<CallView>& views, const std::vector<CallSite>& sites,
           const CallSiteOptions& options)
      : views_(views), sites_(sites), options_(options) {}

  Result<std::vector<TaskCalls>> split() {
    std::vector<TaskCalls> tasks;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      const CallSite& site = sites_[i];
      if (is_tool_loop(site.calls)) {
        for (auto& [action, calls] : by_action(site.calls))
          tasks.push_back({.calls = std::move(calls), .site = i, .action = action});
      } else if (site.user_core.empty() && site.calls.size() >= 2 * options_.calls_min) {
        for (Calls& calls : TRY(split_free(site)))
          tasks.push_back({.calls = std::move(calls), .site = i, .action = {}});
      } else {
        tasks.push_back({.calls = site.calls, .site = i, .action = {}});
      }
    }
    return tasks;
  }

 private:
  [[nodiscard]] double share(const Calls& calls, auto&& holds) const {
    const auto count =
        std::ranges::count_if(calls, [&](std::uint32_t call) { return holds(views_[call]); });
    return static_cast<double>(count) / static_cast<double>(calls.size());
  }

  [[nodiscard]] bool is_tool_loop(const Calls& calls) const {
    return !views_[calls.front()].tools.empty() &&
           share(calls, [](const CallView& view) { return view.multi_turn; }) > 0.5;
  }

  // What the call does next: one of the tools, or a reply to whoever spoke.
  [[nodiscard]] static std::string next_step(const CallView& view) {
    return view.action.starts_with("call:") ? view.action : "reply";
  }

  [[nodiscard]] std::map<std::string, Calls> by_action(const Calls& calls) const {
    std::map<std::string, Calls> steps;
    for (const std::uint32_t call : calls) steps[next_step(views_[call])].push_back(call);
    // A rare set of parallel tools counts as its first tool.
    std::map<std::string, Calls> kept;
    for (auto& [action, members] : steps) {
      const bool rare = members.size() < options_.calls_min;
      kept[rare ? action.substr(0, action.find('+')) : action].append_range(members);
    }
    for (auto& [action, members] : kept) std::ranges::sort(members);
    return kept;
  }

  [[nodiscard]] Result<std::vector<Calls>> split_free(const CallSite& site) const {
    if (auto pieces = by_beginning(site.calls); pieces.size() > 1) return pieces;
    if (!is_shared_system(site) || is_one_kind(site.calls)) return std::vector<Calls>{site.calls};
    return by_shape_and_text(site.calls);
  }

  // A system prompt that says nothing about the task: none, an SDK's default, or one that several
  // sites with templates of their own use too.
  [[nodiscard]] bool is_shared_system(const CallSite& site) const {
    if (site.system_core.empty()) return true;
    constexpr std::size_t default_prompt_bytes_max = 80;
    const std::string_view beginning =
        std::string_view(views_[site.calls.front()].prompt).substr(0, default_prompt_bytes_max);
    if (site.system_core.size() == 1 && beginning.contains("helpful assistant")) return true;
    const auto siblings = std::ranges::count_if(sites_, [&](const CallSite& other) {
      return !other.user_core.empty() && other.calls.size() >= options_.calls_min &&
             views_[other.calls.front()].tools == views_[site.calls.front()].tools &&
             overlap(site.system_core, other.system_core).of_larger > 0.9;
    });
    return siblings >= 2;
  }

  // The same decision each time: labels, one JSON shape, or a choice among tools.
  [[nodiscard]] bool is_one_kind(const Calls& calls) const {
    if (!views_[calls.front()].tools.empty()) return true;
    std::map<std::string_view, std::size_t> actions;
    for (const std::uint32_t call : calls) ++actions[views_[call].action];
    return std::ranges::any_of(actions, [&](const auto& entry) {
      const bool free = entry.first.starts_with("text:");
      return !free && static_cast<double>(entry.second) > 0.9 * static_cast<double>(calls.size());
    });
  }

  // The first `words` words of the user's text, masked; or all before its first colon.
  [[nodiscard]] static std::string beginning_of(std::string_view text, std::size_t words) {
    const std::string_view line = text.substr(0, text.find('\n'));
    std::size_t end = 0;
    if (words == 0) {
      constexpr std::size_t label_bytes_max = 48;
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || colon > label_bytes_max) return {};
      end = colon + 1;
    } else {
      std::size_t count = 0;
      for (const std::string_view token : tokens_of(line, TokenKind::word)) {
        if (token.find_first_not_of(" \t") != std::string_view::npos && ++count > words) break;
        end += token.size();
      }
      if (count <= words) return {};  // the beginning would be everything
    }
    return mask_line(line.substr(0, end));
  }

  // A few beginnings that cover nearly everything are templates; beginnings of free speech are
  // many and cover little.
  [[nodiscard]] std::vector<Calls> by_beginning(const Calls& calls) const {
    constexpr std::size_t beginnings_max = 24;
    for (const std::size_t words : {0U, 6U, 5U, 4U, 3U}) {
      std::map<std::string, Calls> groups;
      for (const std::uint32_t call : calls)
        groups[beginning_of(views_[call].user_text, words)].push_back(call);
      std::vector<Calls> pieces;
      Calls rest;
      for (auto& [beginning, members] : groups) {
        std::unordered_set<std::string_view> texts;
        for (const std::uint32_t call : members) texts.insert(views_[call].user_text);
        const std::size_t needed = std::max(options_.calls_min, calls.size() / 50);
        if (beginning.empty() || members.size() < needed || texts.size() < needed) {
          rest.append_range(members);
        } else {
          pieces.push_back(std::move(members));
        }
      }
      const bool covers =
          static_cast<double>(rest.size()) <= 0.1 * static_cast<double>(calls.size());
      if (pieces.size() < 2 || pieces.size() > beginnings_max || !covers) continue;
      std::ranges::sort(rest);
      if (!rest.empty()) pieces.push_back(std::move(rest));
      return pieces;
    }
    return {};
  }

  // How long a free text is says nothing about what was asked.
  [[nodiscard]] static std::string_view shape_of(const CallView& view) {
    const std::string_view action = view.action;
    const bool plain = action == "label" || action == "text:line" || action == "text:long";
    return plain ? std::string_view("text") : action;
  }

  [[nodiscard]] Result<std::vector<Calls>> by_shape_and_text(const Calls& calls) const {
    std::vector<TextItem> items;
    for (const std::uint32_t call : calls) {
      const CallView& view = views_[call];
      items.push_back({.text = view.user_text,
                       .session = view.session,
                       .shape = shape_of(view),
                       .embedding = {}});
    }
    if (options_.embed != nullptr) {
      constexpr std::size_t embedded_bytes_max = 2048;  // about the context of small embedders
      std::vector<std::string_view> texts;
      for (const TextItem& item : items) texts.push_back(item.text.substr(0, embedded_bytes_max));
      Embeddings vectors = TRY((*options_.embed)(texts));
      for (std::size_t i = 0; i < items.size(); ++i) items[i].embedding = std::move(vectors[i]);
    }
    const TextClusters made = TRY(cluster_texts(items, {.calls_min = options_.calls_min,
                                                        .sessions_min = options_.sessions_min,
                                                        .seed = options_.seed}));
    std::map<std::uint32_t, Calls> pieces;
    for (std::size_t i = 0; i < calls.size(); ++i) pieces[made.group[i]].push_back(calls[i]);
    std::vector<Calls> found;
    for (auto& [group, members] : pieces) found.push_back(std::move(members));
    return found;
  }

  const std::vector<CallView>& views_;
  const std::vector<CallSite>& sites_;
  CallSiteOptions options_;
};

}  // namespace

Result<std::vector<TaskCalls>> split_sites(const std::vector<CallView>& views,
                                           const std::vector<CallSite>& sites,
                                           const CallSiteOptions& options) {
  return Splitter(views, sites, options).split();
}

}  // namespace understudy::s3
