// Any bytes as a line of the audit trail, alone and with a hash that fits: an error or an entry.
#include <string>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/audit_trail.hpp"
#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(store::parse_audit_line(text));
  // Whoever may write the file may make a fitting hash: the parser behind it must hold too.
  const std::string fitting = text + ",\"hash\":\"" + crypto::blake2b_hex(text) + "\"}";
  const auto line = store::parse_audit_line(fitting);
  if (!line) return 0;
  CHECK(line->entry.line >= 1, "lines count from 1");
  CHECK(line->hash == crypto::blake2b_hex(text), "the hash is the text's");
  return 0;
}
