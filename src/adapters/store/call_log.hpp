// The encrypted call log: sealed segments under home/log/, in the order of their names (UUIDv7).
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
