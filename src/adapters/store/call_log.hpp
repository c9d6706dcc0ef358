// The encrypted call log: sealed segments under home/log/, in the order of their names (UUIDv7).
//
// CallLogWriter: thread-safe; a bounded ring and one writer thread that groups commits
// (limits::log_commit_interval_ms). append() never blocks on the disk; a full ring makes the caller
// wait (back-pressure), nothing is dropped in silence. After a failed write (full disk) append()
// and flush() give the error; the log is tried again after limits::log_retry_interval_ms.
// read_call_log(): visits every call of every segment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/call.hpp"

namespace understudy::store {

class CallLogWriter {
 public:
  static Result<std::unique_ptr<CallLogWriter>> open(const Home& home,
                                                     std::span<const crypto::PublicKey> readers);
  ~CallLogWriter();  // flushes
  CallLogWriter(const CallLogWriter&) = delete;
  CallLogWriter& operator=(const CallLogWriter&) = delete;

  Status append(const Call& call);
  Status flush();  // returns when everything appended before is on the disk
  [[nodiscard]] std::uint64_t committed_records() const;

 private:
  struct State;
  explicit CallLogWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct LogReadReport {
  std::uint64_t calls = 0;
  std::uint64_t segments = 0;
  std::uint64_t lost_tail_bytes = 0;  // truncated tails: reported, not an error
  std::vector<std::string> warnings;  // one per truncated tail
  std::vector<Error> corrupt;  // segments that failed a check: calls before that point were visited
};

// `visit` returns a Status; an error stops the reading and is returned. denied on a wrong key.
Result<LogReadReport> read_call_log(const Home& home, const crypto::SecretKey& reader,
                                    const std::function<Status(Call)>& visit);

}  // namespace understudy::store
