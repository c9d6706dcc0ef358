#include "steps/s1_capture/pseudonym_cache.hpp"

#include <gtest/gtest.h>

namespace understudy::s1 {
namespace {

TEST(PseudonymCache, SaysWhatThePseudonymsSay) {
  const Pseudonyms names{SecretText(std::string(32, 'k'))};
  PseudonymCache cache;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1'000; ++i) {
      const std::string value = std::to_string(i);
      EXPECT_EQ(cache.of(names, "key", value), names.of("key", value));
      EXPECT_EQ(cache.of(names, "user", value), names.of("user", value));
    }
  }
  EXPECT_EQ(cache.of(names, "user", ""), "");
}

TEST(PseudonymCache, AnotherKeyGivesOtherNames) {
  const Pseudonyms one{SecretText(std::string(32, 'k'))};
  const Pseudonyms two{SecretText(std::string(32, 'l'))};
  PseudonymCache cache;
  const std::string first = cache.of(one, "key", "x");
  EXPECT_NE(cache.of(two, "key", "x"), first);
  EXPECT_EQ(cache.of(one, "key", "x"), first);
}

}  // namespace
}  // namespace understudy::s1
