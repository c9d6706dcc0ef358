// The audit trail: home/audit/trail.jsonl, one line for each time somebody read content or changed
// keys. Each line carries the hash of the line before it and its own, so that a changed, removed or
// moved line shows. Whoever may write the file could compute it anew; the call log's segments hold
// its head (TrailAnchor), and a head that was noted elsewhere can be compared too. What is cut off
// behind the last anchor shows only against such a note. Safe among processes (the file is locked).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/call_log.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy::store {

struct AuditEntry {
  std::uint64_t line = 0;  // from 1; this and the next two are filled in by append_audit()
  UnixMicros at;
  std::string user;  // of the operating system
  std::string role;  // whose key was used
  std::string act;   // "open", "read", "erase", "rotate", "protect", "make", "revoke", "reload"
  std::string what;  // the verb: "log cat"
  std::string detail;
  std::optional<std::uint64_t> calls;
};

json::value to_json(const AuditEntry& entry);

// On the disk when it returns. A reader of content calls it before it reads: no trace, no content.
Status append_audit(const Home& home, AuditEntry entry);

struct AuditHead {
  std::uint64_t lines = 0;
  std::string hash;  // hex; empty for an empty trail
};
Result<AuditHead> audit_head(const Home& home);  // reads the last line only

struct AuditReport {
  AuditHead head;
  std::vector<AuditEntry> entries;
  std::vector<std::string> findings;  // what was changed; empty: sound
  std::vector<std::string> warnings;  // a line that a power cut tore, said so by the next one
  std::uint64_t anchors_checked = 0;
};
// `noted`: a head that somebody kept, as hex; it must be the hash of some line.
Result<AuditReport> verify_audit(const Home& home, std::span<const TrailAnchor> anchors,
                                 std::string_view noted = {});

// One line without its newline, for the above and the fuzzer; nothing where it is none.
struct AuditLine {
  AuditEntry entry;
  std::string before;  // hex
  std::string hash;    // hex; that of the line's text is compared already
  bool after_torn = false;
};
std::optional<AuditLine> parse_audit_line(std::string_view text);

}  // namespace understudy::store
