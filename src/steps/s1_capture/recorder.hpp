// The gateway's way into the call log: gives a call its id and session where it has none, and
// appends it, sealed to the curator. Needs public keys and the pseudonym key, never a role's secret
// key. Thread-safe. record() does not touch the disk; it waits only while the log's ring is full.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/store/call_log.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/call.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

class Recorder {
 public:
  // not_found (with the hint to run `understudy keys init`) for a home without keys.
  static Result<std::unique_ptr<Recorder>> open(const store::Home& home);

  // `call.origin` holds pseudonyms already: the recorder never sees who it was. An error says that
  // the call is not in the log (full disk, too long).
  Status record(Call call);
  Status flush();  // returns when all that was recorded before is on the disk

  [[nodiscard]] SessionId infer_session(const json::value& request) const;
  // `kind` is "tenant", "user", "key" or "address"; an empty value stays empty.
  [[nodiscard]] std::string pseudonym(std::string_view kind, std::string_view value) const;
  [[nodiscard]] const Pseudonyms& pseudonyms() const { return pseudonyms_; }
  [[nodiscard]] std::uint64_t committed() const;  // calls that are on the disk for certain

 private:
  Recorder(Pseudonyms pseudonyms, std::unique_ptr<store::CallLogWriter> log)
      : pseudonyms_(std::move(pseudonyms)), log_(std::move(log)) {}

  Pseudonyms pseudonyms_;
  std::unique_ptr<store::CallLogWriter> log_;
};

}  // namespace understudy::s1
