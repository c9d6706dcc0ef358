#include "steps/s3_cluster/agreement.hpp"

#include <gtest/gtest.h>

namespace understudy::s3 {
namespace {

TEST(Agreement, OfEqualGroupingsIsOneWhateverTheNumbers) {
  const Agreement perfect = agreement({0, 0, 1, 1, 2}, {5, 5, 3, 3, 9});
  EXPECT_DOUBLE_EQ(perfect.nmi, 1);
  EXPECT_DOUBLE_EQ(perfect.ari, 1);
  EXPECT_DOUBLE_EQ(perfect.purity, 1);
}

TEST(Agreement, HasTheReferenceValuesOfAKnownExample) {
  // scikit-learn: adjusted_rand_score([0,0,1,1],[0,0,1,2]) = 0.5714, v_measure = 0.8.
  const Agreement mixed = agreement({0, 0, 1, 2}, {0, 0, 1, 1});
  EXPECT_NEAR(mixed.ari, 0.5714, 1e-3);
  EXPECT_NEAR(mixed.nmi, 0.8, 1e-9);
  EXPECT_NEAR(mixed.ami, 0.5714, 1e-3);  // adjusted_mutual_info_score
  EXPECT_DOUBLE_EQ(mixed.purity, 1);
}

TEST(Agreement, OfIndependentGroupingsIsNotAboveZero) {
  const Agreement none = agreement({0, 1, 0, 1}, {0, 0, 1, 1});
  EXPECT_NEAR(none.nmi, 0, 1e-9);
  EXPECT_LT(none.ami, 0.01);
  EXPECT_LT(none.ari, 0.01);
}

}  // namespace
}  // namespace understudy::s3
