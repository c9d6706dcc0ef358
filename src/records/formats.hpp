// The formats of a home that outlive the program which wrote them: one table of what this program
// writes, the oldest that it still reads, and what becomes of older ones. Whoever reads such a file
// asks check_format(), so that all of them refuse what is newer in the same words. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace understudy {

enum class FormatId : std::uint8_t { configuration, metadata, policy, classifier, segment, sealed };

struct Format {
  std::string_view name;
  std::int64_t newest = 1;  // what this program writes
  std::int64_t oldest = 1;  // that it reads
  std::string_view older;   // what becomes of older ones
};

// In the order of FormatId. docs/operations.md, "Upgrade", has the same for people.
inline constexpr std::array<Format, 6> formats = {{
    {"the configuration", 1, 1, "one that names no format has format 1"},
    {"metadata.db", 2, 1, "brought up step by step when it is opened; a copy is kept beside it"},
    {"a routing policy", 3, 1, "read with defaults; it is signed, and stays as it is"},
    {"a classifier", 3, 1, "read as it is"},
    {"a segment of the call log", 2, 1, "read as it is"},
    {"a data set", 1, 1, ""},
}};

constexpr const Format& format_of(FormatId id) { return formats[static_cast<std::size_t>(id)]; }

// unsupported, with what to do next, for a version that this program does not read.
Status check_format(FormatId id, std::int64_t found);

}  // namespace understudy
