#include "records/formats.hpp"

#include <format>

namespace understudy {

Status check_format(FormatId id, std::int64_t found) {
  const Format& format = format_of(id);
  if (found >= format.oldest && found <= format.newest) return {};
  const bool newer = found > format.newest;
  return fail(
      ErrorCode::unsupported,
      std::format("{} has format version {}; this program reads {}", format.name, found,
                  format.oldest == format.newest
                      ? std::format("version {}", format.newest)
                      : std::format("versions {} to {}", format.oldest, format.newest)),
      newer ? "a newer understudy wrote it: use a newer understudy, or go back to the copy from "
              "before the upgrade (docs/operations.md, Upgrade)"
            : "no understudy wrote it so: restore it from a backup");
}

}  // namespace understudy
