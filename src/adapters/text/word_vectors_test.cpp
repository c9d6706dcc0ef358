#include "adapters/text/word_vectors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "adapters/text/bytes_reader.hpp"
#include "adapters/text/test_word_vectors.hpp"

namespace understudy::text {
namespace {

template <class T>
void append(std::string& out, const std::vector<T>& values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string file_of(const WordVectors& vectors) {
  std::string out = "USVECTOR";
  append(out, std::vector<std::uint32_t>{1, vectors.dimensions,
                                         static_cast<std::uint32_t>(vectors.keys.size())});
  append(out, vectors.keys);
  append(out, vectors.ranks);
  append(out, vectors.scales);
  append(out, vectors.codes);
  return with_checksum(out);
}

const TestWords animals = {
    {u"the", {100, 0}}, {u"cat", {0, 50}}, {u"über", {-20, 20}}, {u"dog", {10, 60}}};

TEST(WordVectors, AFileIsReadBackAsItWas) {
  const WordVectors written = word_vectors(animals);
  const auto read = parse_word_vectors(file_of(written));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->keys, written.keys);
  EXPECT_EQ(read->ranks, written.ranks);
  EXPECT_EQ(read->codes, written.codes);
  EXPECT_TRUE(read->find(word_key(u"über")));
  EXPECT_FALSE(read->find(word_key(u"uber")));
}

TEST(WordVectors, EveryDamagedByteAndEveryCutIsNoticed) {
  const std::string good = file_of(word_vectors(animals));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_EQ(parse_word_vectors(bad).error().code, ErrorCode::corrupt) << i;
    EXPECT_FALSE(parse_word_vectors(good.substr(0, i))) << i;
  }
}

TEST(WordVectors, WrongContentBehindARightChecksumIsNoticed) {
  const auto refused = [](auto&& damage) {
    WordVectors bad = word_vectors(animals);
    damage(bad);
    return !parse_word_vectors(file_of(bad));
  };
  EXPECT_TRUE(refused([](WordVectors& v) { std::swap(v.keys[0], v.keys[1]); }));
  EXPECT_TRUE(refused([](WordVectors& v) { v.scales[1] = NAN; }));
  EXPECT_TRUE(refused([](WordVectors& v) { v.codes.pop_back(); }));
  EXPECT_TRUE(refused([](WordVectors& v) { v.dimensions = 0; }));
  EXPECT_TRUE(refused([](WordVectors& v) { v.dimensions = 1U << 31U; }));
  EXPECT_FALSE(refused([](WordVectors&) {}));
}

TEST(WordVectors, ATextIsItsWordsMeanExtremesAndOpening) {
  const WordVectors vectors = word_vectors(animals);
  std::vector<float> weights(vectors.keys.size(), 1);
  weights[*vectors.find(word_key(u"cat"))] = 3;
  const std::vector<float> all = pooled(vectors, weights, "THE unheard-of cat, the Dog");
  const std::vector<float> wanted = {
      (1 + 0 + 1 + 0.1F) / 6, (0 + 3 * 0.5F + 0 + 0.6F) / 6, 1, 0.6F, 0, 0, 2 / 3.0F, 0.5F / 3};
  ASSERT_EQ(all.size(), wanted.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(all[i], wanted[i], 1e-6) << i;
  EXPECT_EQ(pooled(vectors, weights, "nothing known 42"), std::vector<float>(8, 0));
  EXPECT_EQ(pooled(vectors, weights, ""), std::vector<float>(8, 0));
}

TEST(WordVectors, OnlySomeAreTheSameForTheirWords) {
  const WordVectors vectors = word_vectors(animals);
  const WordVectors some = vectors.only(std::vector<std::size_t>{1, 3});
  ASSERT_EQ(some.keys, (std::vector{vectors.keys[1], vectors.keys[3]}));
  EXPECT_EQ(some.codes[3], vectors.codes[7]);
  EXPECT_EQ(some.ranks[1], vectors.ranks[3]);
}

}  // namespace
}  // namespace understudy::text
