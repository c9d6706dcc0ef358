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

// UUIDs are stored as 16 bytes; what only looks like one must come back letter by letter.
TEST(RecordMetadata, IdsComeBackAsTheyWere) {
  for (const char* id :
       {"01999c3e-6f2a-7b41-8c5d-9e0f1a2b3c4d", "01999C3E-6f2a-7b41-8c5d-9e0f1a2b3c4d",
        "01999c3e-6f2a-7b41-8c5d-9e0f1a2b3c4g", "01999c3e06f2a-7b41-8c5d-9e0f1a2b3c4d",
        "01999c3e-6f2a-7b41-8c5d09e0f1a2b3c4d", "g1999c3e-6f2a-7b41-8c5d-9e0f1a2b3c4d",
        "01999c3e-6f2a-7b41-8c5d-9e0f1a2b3c4", "\xff\x80", "x"}) {
    Call call;
    call.id = {id};
    std::string bytes;
    put_metadata(call, bytes);
    const auto parsed = parse_metadata(bytes);
    ASSERT_TRUE(parsed) << id;
    EXPECT_EQ(std::get<CallRecord>(*parsed).call.id.value, id);
  }
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
