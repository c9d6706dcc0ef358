#include "steps/s5_tune/torch/lora_export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace understudy::s5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ServingWarnings, NameWhatVllmMustBeTold) {
  EXPECT_THAT(serving_warnings({.rank = 16}), IsEmpty());
  EXPECT_THAT(serving_warnings({.rank = 17}), ElementsAre(HasSubstr("--max-lora-rank 32")));
  EXPECT_THAT(serving_warnings({.rank = 64}), ElementsAre(HasSubstr("--max-lora-rank 64")));
  EXPECT_THAT(serving_warnings({.rank = 513}), ElementsAre(HasSubstr("merged")));
  EXPECT_THAT(serving_warnings({.rank = 8, .magnitudes = true}), ElementsAre(HasSubstr("DoRA")));
}

}  // namespace
}  // namespace understudy::s5
