#include "adapters/store/record_metadata.hpp"

#include <gtest/gtest.h>

namespace understudy::store {
namespace {

// Found by fuzzing: a field of the wrong type emptied the API, and nothing stands for the usual
// one.
TEST(RecordMetadata, AnApiOfTheWrongTypeLeavesTheUsualOne) {
  const auto parsed = parse_metadata(std::string_view("\x01\x05\x01x\x24\x40", 6));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<CallRecord>(*parsed).call.api, Call().api);
}

TEST(RecordMetadata, TheTenantStandsBehindTheRest) {
  Call call;
  call.id = {"a"};
  std::string bytes;
  put_metadata(call, bytes);
  put_tenant(segment_format::RecordKind::call, 7, bytes);
  const auto parsed = parse_metadata(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<CallRecord>(*parsed).tenant, 7u);
}

}  // namespace
}  // namespace understudy::store
