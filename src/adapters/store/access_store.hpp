// HOME/access.json: the list of virtual keys and role tokens, as
// {"access":"canonical JSON","signature":"hex"}, mode 0600, replaced atomically. Where the admin's
// signing key lies in the home, changes are signed; a gateway that is told `signed_only` accepts
// nothing else. A signature that is there is always checked.
// Changes from several processes (command line, admin API) wait for each other by HOME/access.lock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/access.hpp"

namespace understudy::store {

enum class SignatureRule { optional, required };

std::filesystem::path access_file(const Home& home);

// An empty list of version 0 where there is no file. denied: unsigned or wrongly signed; corrupt.
Result<AccessList> load_access(const Home& home, SignatureRule rule);
Result<AccessList> parse_access(const Home& home, std::string_view text, SignatureRule rule);

// Loads the list, lets `change` edit it, and writes the next version. An error of `change` leaves
// the file as it was and is returned. Where the list is signed or must be, and the admin's signing
// key is not here: denied. Blocks on the disk.
Status change_access(const Home& home, SignatureRule rule,
                     const std::function<Status(AccessList&)>& change);

// Differs after each change of the file; cheap (one stat), so that a gateway can poll it.
struct FileStamp {
  std::int64_t modified_ns = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = -1;  // -1: no file
  bool operator==(const FileStamp&) const = default;
};
FileStamp access_stamp(const Home& home);

}  // namespace understudy::store
