// A call, or feedback, in the two forms that it has between the thread that records it and the
// log's writer: its metadata encoded, its content as it was. Views only: who made one keeps what it
// names alive. Private to adapters/store; pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "adapters/store/segment_format.hpp"
#include "records/call.hpp"
#include "records/feedback.hpp"

namespace understudy::store {

struct RecordView {
  segment_format::RecordKind kind = segment_format::RecordKind::call;
  std::string_view metadata;  // all but the tenant, whose number only the segment knows
  std::string_view tenant;    // pseudonym
  std::string_view request;   // of a call
  std::string_view response;  // of a call; the comment of feedback
  std::span<const TextRange> repeated;

  [[nodiscard]] std::size_t content_bytes() const { return request.size() + response.size(); }
};

// `metadata` is overwritten; the view names it and the record.
RecordView view_of(const Call& call, std::string& metadata);
RecordView view_of(const Feedback& feedback, std::string& metadata);

}  // namespace understudy::store
