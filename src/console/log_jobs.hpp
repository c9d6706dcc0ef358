// Jobs on the call log: what is in it, is it sound, show it, who can open it, erase a tenant. Jobs
// that need no content use the auditor's key; every look at content leaves a line in the audit
// trail. Each runs on the caller's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/home.hpp"
#include "adapters/store/log_index.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy::console {

using store::Home;

Result<json::value> log_statistics(const Home& home);

enum class VerifyDepth {
  metadata,  // every byte is checked, with the auditor's key
  content,   // and every call's content is opened and put together, with the curator's
};
// "sound": false, "corrupt", "findings" where something is wrong.
Result<json::value> verify_log(const Home& home, VerifyDepth depth);

enum class CatForm { content, metadata };
struct CatRequest {
  std::string call;
  std::string session;
  std::string tenant;
  UnixMicros since;
  std::size_t limit = 0;  // 0: all
  CatForm form = CatForm::content;
};
// Prints one JSON line for each call. A call with tool calls is printed once the next call of its
// session has brought their results.
Status cat_log(const Home& home, const CatRequest& request,
               const std::function<void(std::string_view line)>& print);
// Calls of a session that are opened for one call's tool results at most; they mostly come in the
// next one.
inline constexpr std::size_t session_calls_max = 64;
// One call, and those of its session that came after it, by their numbers in the index.
struct KnownCall {
  std::string call;
  std::vector<std::size_t> places;  // the call's own first
  std::optional<double> reward;
};
// As cat_log() prints it, and with the same trace, without reading the rest of the log.
Result<std::string> cat_call(const Home& home, const store::LogIndex& index,
                             const KnownCall& known);
// "2026-11-24", "2026-11-24T08:00:00Z", or an age: "90s", "15m", "2h", "7d".
Result<UnixMicros> parse_since(std::string_view text);

// Which keys the segments are sealed to, and which of them are here.
Result<json::value> log_keys(const Home& home);

// `tenant`: a pseudonym, or the tenant's own name. Its name in the log; not_found where it has no
// key here.
Result<std::string> find_tenant(const Home& home, const std::string& tenant);
Result<json::value> erase_tenant(const Home& home, const std::string& pseudonym);

}  // namespace understudy::console
