#include "console/log_jobs.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "adapters/crypto/keys.hpp"
#include "adapters/crypto/role_keys.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/audit_trail.hpp"
#include "adapters/store/call_log.hpp"
#include "base/clock.hpp"
#include "base/progress.hpp"
#include "console/content_access.hpp"
#include "console/metadata_key.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::console {

namespace {

json::array texts(const std::vector<std::string>& lines) {
  json::array made;
  for (const std::string& line : lines) made.emplace_back(line);
  return made;
}

// Progress by bytes of segments that are read.
class LogProgress {
 public:
  LogProgress(const Home& home, std::string what)
      : progress_(std::move(what), total_of(home) / limits_mib, "MiB") {}
  std::function<void(std::uint64_t)> callback() {
    return [this](std::uint64_t bytes) {
      const std::uint64_t now_mib = bytes / limits_mib;
      progress_.advance(now_mib - std::exchange(seen_mib_, now_mib));
    };
  }

 private:
  static constexpr std::uint64_t limits_mib = 1024 * 1024;
  static std::uint64_t total_of(const Home& home) {
    std::uint64_t bytes = 0;
    for (const auto& segment : store::list_segments(home)) bytes += segment.bytes;
    return bytes;
  }
  Progress progress_;
  std::uint64_t seen_mib_ = 0;
};

json::object report_object(const store::LogReadReport& report) {
  json::array corrupt;
  for (const Error& error : report.corrupt) corrupt.emplace_back(error.message);
  return {{"calls", report.calls},
          {"segments", report.segments},
          {"closed_segments", report.closed_segments},
          {"bytes", report.bytes},
          {"feedback", report.feedback},
          {"erased_calls", report.erased_calls},
          {"lost_tail_bytes", report.lost_tail_bytes},
          {"warnings", texts(report.warnings)},
          {"corrupt", std::move(corrupt)}};
}

}  // namespace

Result<json::value> log_statistics(const Home& home) {
  const auto key = TRY(metadata_key(home));
  std::int64_t by_slm = 0;
  std::int64_t not_ok = 0;
  std::uint64_t content_bytes = 0;
  UnixMicros first;
  UnixMicros last;
  std::map<std::string, std::uint64_t> of_tenant;
  const auto count = [&](const Call& call) -> Status {
    by_slm += call.route.server == Server::slm ? 1 : 0;
    not_ok += call.status != CallStatus::ok ? 1 : 0;
    content_bytes += call.content_bytes.request + call.content_bytes.response;
    if (call.started_at.known() && (!first.known() || call.started_at < first)) {
      first = call.started_at;
    }
    last = std::max(last, call.started_at);
    ++of_tenant[call.origin.tenant];
    return {};
  };
  LogProgress progress(home, "reading the log");
  const auto report = TRY(store::read_call_log(
      home, key, count, {.open_content = false, .on_progress = progress.callback()}));
  json::object result = report_object(report);
  result["served_by_slm"] = by_slm;
  result["not_ok"] = not_ok;
  result["content_bytes"] = content_bytes;
  if (first.known()) {
    result["first_call"] = to_iso8601(first);
    result["last_call"] = to_iso8601(last);
  }
  json::object tenants;
  for (const auto& [tenant, calls] : of_tenant) {
    tenants[tenant.empty() ? crypto::default_tenant : std::string_view(tenant)] = calls;
  }
  result["tenants"] = std::move(tenants);
  return result;
}

Result<json::value> verify_log(const Home& home, VerifyDepth depth) {
  const bool deep = depth == VerifyDepth::content;
  const auto key = deep ? TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator))
                        : TRY(metadata_key(home));
  std::optional<ContentAccess> access;
  if (deep) access = TRY(ContentAccess::begin(home, crypto::Role::curator, "log verify"));
  LogProgress progress(home, "verifying the log");
  const auto report =
      TRY(store::read_call_log(home, key, [](const Call&) -> Status { return {}; },
                               {.open_content = deep, .on_progress = progress.callback()}));
  if (access) TRY(access->end(report.calls));
  const auto trail = TRY(store::verify_audit(home, report.anchors));
  json::object result = report_object(report);
  result["depth"] = deep ? "content" : "metadata";
  result["key"] = key.public_key.name;
  result["trail_findings"] = texts(trail.findings);
  result["trail_anchors"] = trail.anchors_checked;
  result["sound"] = report.corrupt.empty() && trail.findings.empty();
  return result;
}

Result<UnixMicros> parse_since(std::string_view text) {
  if (const auto time = parse_iso8601(text)) return *time;
  if (const auto day = parse_iso8601(std::string(text) + "T00:00:00Z")) return *day;
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units = {
      {{"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}}};
  for (const auto& [name, seconds] : units) {
    if (error == std::errc() && unit == name && count >= 0 && count < 1'000'000'000) {
      return UnixMicros{now().value - count * seconds * 1'000'000};
    }
  }
  return fail(ErrorCode::invalid_input, "--since does not understand " + std::string(text),
              "give a time (2026-11-24, 2026-11-24T08:00:00Z) or an age (90s, 15m, 2h, 7d)");
}

Result<json::value> log_keys(const Home& home) {
  struct Known {
    std::string role;
    std::string state;  // "present", "former"
    bool has_secret = false;
  };
  std::map<std::string, Known> known;
  for (const crypto::KeyInfo& key : crypto::list_keys(home.keys())) {
    if (!key.fingerprint.empty()) known[key.fingerprint] = {key.name, "present", key.has_secret};
    for (const std::string& former : key.former) {
      known.insert({former, {key.name, "former", key.has_secret}});
    }
  }
  json::array segments;
  std::set<std::string> missing;
  for (const store::SegmentInfo& segment : store::list_segments(home)) {
    json::array readers;
    for (const std::string& fingerprint : segment.fingerprints) {
      const auto found = known.find(fingerprint);
      const bool here = found != known.end();
      if (!here) missing.insert(fingerprint);
      readers.push_back(json::object{{"fingerprint", fingerprint},
                                     {"role", here ? found->second.role : ""},
                                     {"state", here ? found->second.state : "unknown"},
                                     {"secret_here", here && found->second.has_secret}});
    }
    json::object one{{"segment", segment.path.filename().string()},
                     {"version", segment.version},
                     {"bytes", segment.bytes},
                     {"kind", segment.is_feedback ? "feedback" : "calls"},
                     {"cipher", segment.cipher},
                     {"readers", std::move(readers)}};
    if (segment.made_at.known()) one["made_at"] = to_iso8601(segment.made_at);
    if (segment.error) one["error"] = segment.error->message;
    segments.push_back(std::move(one));
  }
  json::array unknown;
  for (const std::string& fingerprint : missing) unknown.emplace_back(fingerprint);
  return json::object{{"segments", std::move(segments)},
                      {"unknown_keys", std::move(unknown)},
                      {"tenants", texts(TRY(crypto::list_tenants(home.keys())))}};
}

Result<std::string> find_tenant(const Home& home, const std::string& tenant) {
  const auto names = TRY(crypto::list_tenants(home.keys()));
  if (std::ranges::contains(names, tenant)) return tenant;
  if (const auto key = crypto::load_pseudonym_key(home.keys())) {
    const std::string pseudonym = s1::Pseudonyms(*key).of("tenant", tenant);
    if (std::ranges::contains(names, pseudonym)) return pseudonym;
  }
  return fail(ErrorCode::not_found, "no tenant " + tenant + " has a key in this home",
              names.empty() ? "no calls were recorded yet, or all tenants were erased"
                            : "`understudy log keys` lists the tenants");
}

Result<json::value> erase_tenant(const Home& home, const std::string& pseudonym) {
  // First the trace, then the deed: an erasure that nobody can tell of does not happen.
  TRY(trace_key_change(home, "admin", "erase", "log erase", "tenant " + pseudonym));
  if (!TRY(crypto::erase_tenant_keys(home.keys(), pseudonym))) {
    return fail(ErrorCode::not_found, "tenant " + pseudonym + " has no key in this home any more");
  }
  json::array old;
  for (const store::SegmentInfo& segment : store::list_segments(home)) {
    if (segment.version == 1) old.emplace_back(segment.path.filename().string());
  }
  json::array datasets;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(home.datasets(), ignored)) {
    if (entry.is_directory(ignored)) datasets.emplace_back(entry.path().filename().string());
  }
  return json::object{{"tenant", pseudonym},
                      {"erased", true},
                      {"segments_of_version_1", std::move(old)},
                      {"datasets_made_before", std::move(datasets)}};
}

}  // namespace understudy::console
