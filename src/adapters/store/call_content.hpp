// A call's request and response as a segment keeps them. Parts of the request that conversations
// send again and again (RecordView::repeated) are stored where they come first in a segment and
// named by their number after that; the request is put together again byte for byte.
//
//   pieces: count, then for each repeated part: bytes of text before it, number + 1 or 0 for a new
//   one, and for a new one its bytes; then bytes of text behind the last part, bytes of the
//   response (all varints); then all that text in the request's order, then the response.
//
// Numbers count the new parts of one tenant in one segment from 0. Private to adapters/store; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/part_table.hpp"
#include "adapters/store/read_parts.hpp"
#include "adapters/store/record_view.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::store {

// A tenant's parts, seen from the writer of a segment.
struct WrittenParts {
  crypto::ContentAddresser addresser;
  std::uint32_t count = 0;
};

// Appends to `out`; returns the bytes of new parts, which readers of the segment will keep in
// memory.
std::size_t put_content(const RecordView& call, WrittenParts& parts, PartTable& table,
                        std::string& out);

struct Content {
  SecretText request;
  SecretText response;
};

// corrupt for what put_content() does not make. New parts are added to `parts`.
Result<Content> parse_content(std::string_view bytes, ReadParts& parts);

// The two halves of finding an earlier part: which numbers a call's content names, and which new
// parts another one's brings, in order. Views of `bytes`.
Result<std::vector<std::uint64_t>> parts_named_in(std::string_view bytes);
Result<std::vector<std::string_view>> new_parts_in(std::string_view bytes);

}  // namespace understudy::store
