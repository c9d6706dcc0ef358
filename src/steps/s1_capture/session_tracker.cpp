#include "steps/s1_capture/session_tracker.hpp"

#include <xxhash.h>

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/limits.hpp"

namespace understudy::s1 {

namespace {

using wire::ItemKind;

// Not cryptographic: whoever makes two conversations collide confuses his own sessions only, because
// the tenant and the key go in first.
struct ChainHash {
  XXH128_hash_t value{};
  bool operator==(const ChainHash& other) const { return XXH128_isEqual(value, other.value) != 0; }
};
struct ChainHashHash {
  std::size_t operator()(const ChainHash& hash) const { return hash.value.low64; }
};

ChainHash chained(const ChainHash& before, std::string_view text) {
  return {XXH3_128bits_withSeed(text.data(), text.size(), before.value.low64 ^ before.value.high64)};
}

std::string_view slice(std::string_view body, const TextRange& range) {
  return body.substr(range.begin, range.bytes);
}

std::string as_text(const ChainHash& hash) {
  return {reinterpret_cast<const char*>(&hash.value), sizeof hash.value};
}

bool said_by_model(ItemKind kind) {
  return kind == ItemKind::assistant || kind == ItemKind::tool_call;
}

}  // namespace

struct SessionTracker::State {
  explicit State(Pseudonyms names) : pseudonyms(std::move(names)) {}

  struct Known {
    ChainHash conversation;
    SessionId session;
    CallId call;
    CallId parent;
    std::int32_t step = 0;
  };

  Pseudonyms pseudonyms;
  std::mutex mutex;
  std::list<Known> recent;  // the latest in front
  std::unordered_map<ChainHash, std::list<Known>::iterator, ChainHashHash> known;

  const Known* find(const ChainHash& conversation) {
    const auto found = known.find(conversation);
    if (found == known.end()) return nullptr;
    recent.splice(recent.begin(), recent, found->second);
    return &recent.front();
  }

  void remember(Known entry) {
    if (const auto found = known.find(entry.conversation); found != known.end()) {
      recent.splice(recent.begin(), recent, found->second);
      recent.front() = std::move(entry);
      return;
    }
    if (recent.size() >= limits::tracked_conversations_max) {
      known.erase(recent.back().conversation);
      recent.splice(recent.begin(), recent, std::prev(recent.end()));
      recent.front() = std::move(entry);
    } else {
      recent.push_front(std::move(entry));
    }
    known[recent.front().conversation] = recent.begin();
  }
};

SessionTracker::SessionTracker(Pseudonyms pseudonyms)
    : state_(std::make_unique<State>(std::move(pseudonyms))) {}
SessionTracker::~SessionTracker() = default;

void SessionTracker::place(const wire::RequestScan& scan, std::string_view body,
                           std::string_view named, Call& call) {
  ChainHash hash = chained({}, call.origin.tenant);
  hash = chained(hash, call.origin.key);
  hash = chained(hash, named);
  hash = chained(hash, slice(body, scan.system));
  std::vector<ChainHash> prefixes;
  prefixes.reserve(scan.items.size());
  ChainHash opening = hash;
  bool opened = false;
  for (const wire::RequestItem& item : scan.items) {
    hash = chained(hash, slice(body, item.range));
    prefixes.push_back(hash);
    if (opened) continue;
    opening = hash;
    opened = item.kind != ItemKind::system;
  }
  if (prefixes.empty()) prefixes.push_back(opening = chained(hash, body));

  const std::scoped_lock lock(state_->mutex);
  State::Known entry{
      .conversation = prefixes.back(), .session = {}, .call = call.id, .parent = {}, .step = 0};
  for (std::size_t i = prefixes.size() - 1; i-- > 0;) {
    if (!said_by_model(scan.items[i + 1].kind)) continue;
    const State::Known* before = state_->find(prefixes[i]);
    if (before == nullptr) continue;
    entry.session = before->session;
    entry.parent = before->call;
    entry.step = before->step + 1;
    break;
  }
  if (entry.parent.empty()) {
    const State::Known* same = state_->find(prefixes.back());
    entry.session = SessionId{std::string(named)};
    if (named.empty()) {
      // The whole call again is another run; a name of its own keeps the two apart.
      entry.session = {"s-" + state_->pseudonyms.of("session", as_text(opening))};
      if (same != nullptr) entry.session.value += "-" + call.id.value;
    }
  }
  call.session = entry.session;
  call.parent = entry.parent;
  call.step = entry.step;
  state_->remember(std::move(entry));
}

std::vector<ToolResult> tool_results(wire::Api api, const wire::RequestScan& scan,
                                     std::string_view body) {
  std::vector<ToolResult> results;
  std::size_t first = scan.items.size();
  while (first > 0 && !said_by_model(scan.items[first - 1].kind)) --first;
  std::size_t calls = first;
  while (calls > 0 && said_by_model(scan.items[calls - 1].kind)) --calls;
  std::unordered_map<std::string, std::string> names;  // of the tools, by the call's id
  for (std::size_t i = first; i < scan.items.size(); ++i) {
    if (scan.items[i].kind != ItemKind::tool_result) continue;
    const auto item = json::parse(slice(body, scan.items[i].range));
    if (!item) continue;
    const auto add = [&](std::string id) {
      results.push_back(
          {.tool_call_id = std::move(id), .tool = {}, .item = static_cast<std::int32_t>(i)});
    };
    if (api == wire::Api::messages) {
      const json::array* parts = json::find_array(*item, "content");
      if (parts == nullptr) continue;
      for (const json::value& part : *parts) {
        if (json::string_or(part, "type") == "tool_result")
          add(json::string_or(part, "tool_use_id"));
      }
    } else {
      add(json::string_or(*item, api == wire::Api::responses ? "call_id" : "tool_call_id"));
    }
  }
  if (results.empty()) return results;
  for (std::size_t i = calls; i < first; ++i) {
    const auto item = json::parse(slice(body, scan.items[i].range));
    if (!item) continue;
    if (api == wire::Api::responses) {
      names[json::string_or(*item, "call_id")] = json::string_or(*item, "name");
    } else if (api == wire::Api::messages) {
      if (const json::array* parts = json::find_array(*item, "content")) {
        for (const json::value& part : *parts)
          names[json::string_or(part, "id")] = json::string_or(part, "name");
      }
    } else if (const json::array* tool_calls = json::find_array(*item, "tool_calls")) {
      for (const json::value& tool_call : *tool_calls) {
        const json::value* function = json::find(tool_call, "function");
        if (function != nullptr)
          names[json::string_or(tool_call, "id")] = json::string_or(*function, "name");
      }
    }
  }
  for (ToolResult& result : results) {
    if (const auto found = names.find(result.tool_call_id); found != names.end())
      result.tool = found->second;
  }
  return results;
}

}  // namespace understudy::s1
