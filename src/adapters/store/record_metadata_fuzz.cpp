// Any bytes as the metadata of a record (call, feedback, tenant, anchor): an error, or a record
// that comes back the same when it is written and read again.
#include <cmath>
#include <string>

#include "adapters/store/record_metadata.hpp"
#include "base/check.hpp"

namespace {

using namespace understudy;
using namespace understudy::store;

std::string written(const Metadata& metadata) {
  std::string out;
  if (const auto* call = std::get_if<CallRecord>(&metadata)) {
    put_metadata(call->call, out);
    put_tenant(segment_format::RecordKind::call, call->tenant, out);
  } else if (const auto* feedback = std::get_if<FeedbackRecord>(&metadata)) {
    put_metadata(feedback->feedback, out);
    put_tenant(segment_format::RecordKind::feedback, feedback->tenant, out);
  } else if (const auto* tenant = std::get_if<TenantRecord>(&metadata)) {
    put_metadata(*tenant, out);
  } else if (const auto* anchor = std::get_if<AnchorRecord>(&metadata)) {
    put_metadata(*anchor, out);
  } else {
    put_metadata(EndRecord(), out);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = parse_metadata(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!first) return 0;
  const std::string once = written(*first);
  const auto second = parse_metadata(once);
  CHECK(second.has_value(), "what is written can be read");
  CHECK(written(*second) == once, "and is the same");
  return 0;
}
