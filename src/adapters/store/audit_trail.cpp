#include "adapters/store/audit_trail.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/output_file.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr std::size_t detail_bytes_max = 1024;
constexpr std::size_t hash_text_bytes = 64;
constexpr std::size_t line_bytes_max = 64 * limits::kibi;
constexpr std::string_view hash_field = ",\"hash\":\"";
constexpr std::string_view line_end = "\"}";

std::filesystem::path trail_of(const Home& home) { return home.audit() / "trail.jsonl"; }

std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(::geteuid());
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// The bytes behind the last but one newline: the last line, whole or torn. Empty in an empty file.
struct LastLine {
  std::string text;
  bool has_newline = true;
  std::uint64_t number_before = 0;  // of the last sound line before it; 0: none is near
};

Result<LastLine> read_last_line(int file, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return fail_errno("cannot read", path);
  const auto size = static_cast<std::size_t>(status.st_size);
  const std::size_t count = std::min(size, line_bytes_max);
  std::string tail(count, '\0');
  const ssize_t got = ::pread(file, tail.data(), count, static_cast<off_t>(size - count));
  if (got != static_cast<ssize_t>(count)) return fail_errno("cannot read", path);
  LastLine last;
  if (tail.empty()) return last;
  last.has_newline = tail.back() == '\n';
  if (last.has_newline) tail.pop_back();
  const std::size_t newline = tail.rfind('\n');
  last.text = newline == std::string::npos ? tail : tail.substr(newline + 1);
  if (newline == std::string::npos) return last;
  tail.resize(newline);
  const std::size_t earlier = tail.rfind('\n');
  const auto before =
      parse_audit_line(earlier == std::string::npos ? tail : tail.substr(earlier + 1));
  if (before) last.number_before = before->entry.line;
  return last;
}

std::string to_line(const AuditEntry& entry, const std::string& before, bool after_torn) {
  json::value tree = to_json(entry);
  if (after_torn) tree.as_object()["after_torn"] = true;
  tree.as_object()["before"] = before;
  std::string body = json::to_text(tree);
  body.pop_back();  // the closing brace comes behind the hash
  return body + std::string(hash_field) + crypto::blake2b_hex(body) + std::string(line_end);
}

Result<Descriptor> open_locked(const std::filesystem::path& path, int flags, int lock) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (file.number() < 0) return fail_errno("cannot open", path);
  if (::flock(file.number(), lock) != 0) return fail_errno("cannot lock", path);
  return file;
}

}  // namespace

json::value to_json(const AuditEntry& entry) {
  json::object tree{{"line", entry.line}, {"at", to_iso8601(entry.at)}, {"user", entry.user},
                    {"role", entry.role}, {"act", entry.act},           {"what", entry.what}};
  if (!entry.detail.empty()) tree["detail"] = entry.detail;
  if (entry.calls) tree["calls"] = *entry.calls;
  return tree;
}

Status append_audit(const Home& home, AuditEntry entry) {
  const auto path = trail_of(home);
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(path, ignored);
  const Descriptor file = TRY(open_locked(path, O_RDWR | O_CREAT | O_APPEND, LOCK_EX));
  const LastLine last = TRY(read_last_line(file.number(), path));
  std::string before;
  bool after_torn = false;
  entry.line = 1;
  if (const auto parsed = parse_audit_line(last.text)) {
    before = parsed->hash;
    entry.line = parsed->entry.line + 1;
  } else if (!last.text.empty()) {
    // A power cut tore it, or somebody changed it: it stays as it is, and this line vouches for
    // what it looks like from now on.
    before = crypto::blake2b_hex(last.text);
    entry.line = last.number_before + 2;
    after_torn = true;
  }
  entry.at = now();
  entry.user = user_name();
  entry.detail = entry.detail.substr(0, detail_bytes_max);
  std::string text = to_line(entry, before, after_torn) + "\n";
  if (!last.has_newline) text.insert(0, "\n");
  // One write of a short line: the kernel takes it whole, whatever happens to this process.
  if (::write(file.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_errno("cannot write", path);
  }
  if (::fdatasync(file.number()) != 0) return fail_errno("cannot sync", path);
  if (!is_new) return {};
  const Descriptor directory(::open(home.audit().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::fsync(directory.number()) != 0) return fail_errno("cannot sync", home.audit());
  return {};
}

Result<AuditHead> audit_head(const Home& home) {
  const auto path = trail_of(home);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return AuditHead{};
  const Descriptor file = TRY(open_locked(path, O_RDONLY, LOCK_SH));
  const LastLine last = TRY(read_last_line(file.number(), path));
  if (last.text.empty()) return AuditHead{};
  const auto parsed = parse_audit_line(last.text);
  if (!parsed) return fail(ErrorCode::corrupt, path.string() + ": its last line is damaged");
  return AuditHead{.lines = parsed->entry.line, .hash = parsed->hash};
}

std::optional<AuditLine> parse_audit_line(std::string_view text) {
  const std::size_t frame = hash_field.size() + hash_text_bytes + line_end.size();
  if (text.size() <= frame || !text.ends_with(line_end)) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - frame);
  const std::string_view rest = text.substr(body.size());
  if (!rest.starts_with(hash_field)) return std::nullopt;
  AuditLine line;
  line.hash = rest.substr(hash_field.size(), hash_text_bytes);
  if (line.hash != crypto::blake2b_hex(body)) return std::nullopt;
  const auto tree = json::parse(text);
  if (!tree || !tree->is_object()) return std::nullopt;
  const auto number = json::find_integer(*tree, "line");
  const auto before = json::find_string(*tree, "before");
  if (!number || *number < 1 || !before) return std::nullopt;
  line.before = *before;
  line.after_torn = json::find_bool(*tree, "after_torn").value_or(false);
  line.entry = {.line = static_cast<std::uint64_t>(*number),
                .at = parse_iso8601(json::string_or(*tree, "at")).value_or(UnixMicros{}),
                .user = json::string_or(*tree, "user"),
                .role = json::string_or(*tree, "role"),
                .act = json::string_or(*tree, "act"),
                .what = json::string_or(*tree, "what"),
                .detail = json::string_or(*tree, "detail"),
                .calls = {}};
  if (const auto calls = json::find_integer(*tree, "calls")) {
    line.entry.calls = static_cast<std::uint64_t>(*calls);
  }
  return line;
}

Result<AuditReport> verify_audit(const Home& home, std::span<const TrailAnchor> anchors,
                                 std::string_view noted) {
  AuditReport report;
  const auto path = trail_of(home);
  auto text = read_file(path);
  if (!text && text.error().code != ErrorCode::not_found) return fail(text.error());
  std::istringstream lines(text ? std::move(*text) : std::string());
  std::unordered_map<std::string, std::uint64_t> line_of_hash;
  std::string previous;  // hash of the line before
  std::optional<std::string> damaged;
  std::uint64_t at = 0;
  const auto find = [&](const std::string& what) {
    report.findings.push_back(path.string() + ":" + std::to_string(at) + ": " + what);
  };
  std::string raw;
  for (; std::getline(lines, raw);) {
    ++at;
    auto line = parse_audit_line(raw);
    if (!line) {
      if (damaged) find("two damaged lines in a row");
      damaged = std::move(raw);
      continue;
    }
    if (damaged && line->after_torn && line->before == crypto::blake2b_hex(*damaged)) {
      report.warnings.push_back(path.string() + ":" + std::to_string(at - 1) +
                                ": this line was torn when line " + std::to_string(at) +
                                " was written");
    } else if (damaged) {
      find("the line before it was changed");
    } else if (line->before != previous) {
      find(previous.empty() ? "lines before it are missing"
                            : "it does not follow the line before it: lines were removed or moved");
    } else if (report.entries.empty() ? line->entry.line != 1
                                      : line->entry.line != report.entries.back().line + 1) {
      find("its number does not follow the line before it");
    }
    damaged.reset();
    previous = line->hash;
    line_of_hash[line->hash] = line->entry.line;
    report.entries.push_back(std::move(line->entry));
  }
  if (damaged) find("the last line is damaged or torn");
  if (!report.entries.empty()) {
    report.head = {.lines = report.entries.back().line, .hash = previous};
  }
  for (const TrailAnchor& anchor : anchors) {
    ++report.anchors_checked;
    const std::string head = crypto::hex(anchor.head);
    const auto found = line_of_hash.find(head);
    if (found != line_of_hash.end() && found->second == anchor.lines) continue;
    report.findings.push_back(path.string() + ": " + anchor.segment.filename().string() +
                              " was begun when the trail had " + std::to_string(anchor.lines) +
                              " lines; that line " + std::to_string(anchor.lines) +
                              " is gone or was changed");
  }
  if (!noted.empty() && !line_of_hash.contains(std::string(noted))) {
    report.findings.push_back(path.string() + ": no line has the noted hash " + std::string(noted));
  }
  return report;
}

}  // namespace understudy::store
