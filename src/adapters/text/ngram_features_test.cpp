#include "adapters/text/ngram_features.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace understudy::text {
namespace {

std::set<std::uint32_t> indices(std::string_view text) {
  std::set<std::uint32_t> found;
  for (const Feature& feature : ngram_counts(text, {})) found.insert(feature.index);
  return found;
}

TEST(NgramFeatures, IgnoreCaseInEveryScript) {
  EXPECT_EQ(indices("Größe ÉTÉ"), indices("gRÖßE été"));
  EXPECT_NE(indices("book a flight"), indices("cancel a flight"));
}

TEST(NgramFeatures, ShareWhatTextsShare) {
  const auto a = indices("refund my order");
  const auto b = indices("refunds for my orders");
  std::size_t shared = 0;
  for (const auto index : a) shared += b.count(index);
  EXPECT_GT(shared, a.size() / 2);
}

TEST(NgramFeatures, SortedWithoutDuplicatesInTheirFamiliesRanges) {
  const NgramOptions options{.hash_bits = 10};
  const SparseVector vector = ngram_counts("one two one two three", options);
  for (std::size_t i = 1; i < vector.size(); ++i) EXPECT_LT(vector[i - 1].index, vector[i].index);
  EXPECT_LT(vector.back().index, 1U << 11U);
  EXPECT_TRUE(ngram_counts("", options).empty());
  EXPECT_FALSE(ngram_counts("\xff\xfe broken utf-8 \xc3", options).empty());
}

TEST(NgramFeatures, TfIdfGivesUnitVectorsAndWeighsRareFeaturesMore) {
  std::vector<SparseVector> documents;
  for (const char* text : {"the cat", "the dog", "the bird"})
    documents.push_back(ngram_counts(text, {}));
  const TfIdf weights = TfIdf::fit(documents, 1U << 19U);
  double norm = 0;
  for (const Feature& feature : weights.apply(documents[0]))
    norm += static_cast<double>(feature.value) * feature.value;
  EXPECT_NEAR(norm, 1, 1e-5);
  // ln((1+3)/(1+3)) + 1 for what is everywhere, ln((1+3)/(1+1)) + 1 for what is in one document.
  const auto the = ngram_counts("the", {});
  const auto cat = ngram_counts("cat", {});
  EXPECT_NEAR(weights.idf()[the.front().index], 1.0, 1e-6);
  EXPECT_NEAR(weights.idf()[cat.front().index], std::log(2.0) + 1, 1e-6);
}

}  // namespace
}  // namespace understudy::text
