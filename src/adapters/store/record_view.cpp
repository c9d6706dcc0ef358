#include "adapters/store/record_view.hpp"

#include "adapters/store/record_metadata.hpp"

namespace understudy::store {

using segment_format::RecordKind;

RecordView view_of(const Call& call, std::string& metadata) {
  metadata.clear();
  put_metadata(call, metadata);
  return {.kind = RecordKind::call,
          .metadata = metadata,
          .tenant = call.origin.tenant,
          .request = call.request.reveal(),
          .response = call.response.reveal(),
          .repeated = call.repeated};
}

RecordView view_of(const Feedback& feedback, std::string& metadata) {
  metadata.clear();
  put_metadata(feedback, metadata);
  return {.kind = RecordKind::feedback,
          .metadata = metadata,
          .tenant = feedback.tenant,
          .request = {},
          .response = feedback.comment.reveal(),
          .repeated = {}};
}

}  // namespace understudy::store
