#include "steps/s2_curate/duplicates/near_duplicates.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <format>
#include <set>

#include "steps/s2_curate/duplicates/decontamination.hpp"
#include "steps/s2_curate/duplicates/min_hash.hpp"
#include "steps/s2_curate/duplicates/splits.hpp"

namespace understudy::s2 {
namespace {

// Words that nobody else has.
std::string words(int seed, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    int number = seed * 1000 + i;
    std::string word = "w";
    for (; number > 0; number /= 26) word += static_cast<char>('a' + number % 26);
    text += word + " ";
  }
  return text;
}

ShingleStore store_of(const std::vector<std::string>& texts) {
  auto store = ShingleStore::create(std::filesystem::temp_directory_path());
  for (const std::string& text : texts) EXPECT_TRUE(store->add(shingles_of(text)).has_value());
  EXPECT_TRUE(store->flush().has_value());
  return std::move(*store);
}

TEST(NearDuplicates, AreFoundByTheirTrueSimilarity) {
  const ShingleStore store = store_of(
      {words(1, 100), words(1, 100) + "and one more", words(2, 100), words(1, 50) + words(3, 50)});
  const auto components = near_duplicate_components(store);
  ASSERT_TRUE(components.has_value());
  EXPECT_EQ(*components, (std::vector<std::uint32_t>{0, 0, 2, 3}));
}

TEST(NearDuplicates, DifferInNumbersAndIdsOnly) {
  const std::string text = words(4, 20);
  const ShingleStore store = store_of({text + "order 1234567 of 2024-01-02T10:00:00",
                                       text + "order 7654321 of 2025-11-12T11:30:59"});
  EXPECT_EQ((*near_duplicate_components(store))[1], 0U);
}

TEST(NearDuplicates, AreNotMadeByATemplateThatManyCallsShare) {
  std::vector<std::string> texts;
  const std::string shared = words(5, 300);
  for (int i = 0; i < 60; ++i) texts.push_back(shared + words(100 + i, 12));
  const auto components = near_duplicate_components(store_of(texts));
  const std::set<std::uint32_t> distinct(components->begin(), components->end());
  EXPECT_EQ(distinct.size(), texts.size());
}

TEST(NearDuplicates, MinHashAgreesAsOftenAsTheSetsDo) {
  std::vector<std::uint32_t> a;
  std::vector<std::uint32_t> b;
  int shared_bands = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) a.push_back(i * 2654435761U);
  b.assign(a.begin(), a.begin() + 1900);
  for (std::uint32_t i = 0; i < 100; ++i) b.push_back(i * 40503U + 7);
  const MinHashBands first = min_hash_bands_of(a);
  const MinHashBands second = min_hash_bands_of(b);
  for (std::size_t i = 0; i < min_hash_bands; ++i) shared_bands += first[i] == second[i] ? 1 : 0;
  EXPECT_GT(shared_bands, 2);  // 0.905^8 of 16: seven expected
  EXPECT_LT(shared_bands, 14);
}

TEST(Splits, KeepSessionsAndComponentsTogether) {
  std::vector<SplitItem> items;
  for (std::uint32_t i = 0; i < 3000; ++i)
    items.push_back({.session = 1 + i / 3, .request = 100'000 + i, .component = i});
  items[2999].component = 0;  // like the first, of another session
  const Splits splits = assign_splits(items, SecretText(std::string(32, 'k')));
  for (std::size_t i = 0; i < 3000; i += 3) {
    EXPECT_EQ(splits.of[i], splits.of[i + 1]);
    EXPECT_EQ(splits.of[i], splits.of[i + 2]);
  }
  EXPECT_EQ(splits.of[2999], splits.of[0]);
  EXPECT_EQ(splits.oversized_components, 0U);
}

TEST(Decontamination, FindsTrainingCallsThatSayWhatHeldOutCallsSay) {
  const ShingleStore store = store_of(
      {words(6, 60), words(6, 55) + "other end", words(7, 60), words(6, 20) + words(8, 60)});
  const auto contaminated =
      find_contaminated(store, {Split::test, Split::train, Split::train, Split::train});
  ASSERT_TRUE(contaminated.has_value());
  EXPECT_EQ(*contaminated, (std::vector<bool>{false, true, false, false}));
}

TEST(Shingles, ComeBackFromTheirBytes) {
  const Shingles shingles = shingles_of(words(9, 40));
  const auto again = decode_shingles(encode(shingles));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->fives, shingles.fives);
  EXPECT_EQ(again->thirteens, shingles.thirteens);
  EXPECT_EQ(again->text_hash, shingles.text_hash);
  EXPECT_FALSE(decode_shingles("short").has_value());
}

}  // namespace
}  // namespace understudy::s2
