#include "adapters/text/pattern_scanner.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace understudy::text {
namespace {

TEST(PatternScanner, ReportsWhereEachPatternMatches) {
  const std::vector<Pattern> patterns = {
      {.id = 7, .expression = "sk-[a-z0-9]{4}"},
      {.id = 9, .expression = "password", .letter_case = LetterCase::ignored}};
  const auto scanner = PatternScanner::compile(patterns);
  ASSERT_TRUE(scanner.has_value());
  EXPECT_THAT(scanner->scan("a PassWord sk-ab12 "),
              testing::ElementsAre(PatternHit{.id = 9, .begin = 2, .end = 10},
                                   PatternHit{.id = 7, .begin = 11, .end = 18}));
}

TEST(PatternScanner, FindsLiteralsWithAnyBytes) {
  const std::vector<Literal> literals = {
      {.id = 1, .bytes = "a+b(c"},
      {.id = 2, .bytes = "J\xc3\xb6@X.de", .letter_case = LetterCase::ignored}};
  const auto scanner = PatternScanner::compile_literals(literals);
  ASSERT_TRUE(scanner.has_value());
  EXPECT_THAT(scanner->scan("xa+b(c \xff j\xc3\xb6@x.DE"),
              testing::ElementsAre(PatternHit{.id = 1, .begin = 1, .end = 6},
                                   PatternHit{.id = 2, .begin = 9, .end = 17}));
}

TEST(PatternScanner, WithoutPatternsNothingIsFound) {
  EXPECT_TRUE(PatternScanner::compile({})->scan("anything").empty());
  EXPECT_TRUE(PatternScanner::compile_literals({})->scan("anything").empty());
}

TEST(PatternScanner, NamesThePatternThatDoesNotCompile) {
  const auto scanner =
      PatternScanner::compile(std::vector<Pattern>{{.id = 1, .expression = "(open"}});
  ASSERT_FALSE(scanner.has_value());
  EXPECT_THAT(scanner.error().message, testing::HasSubstr("(open"));
}

TEST(PatternScanner, ServesSeveralThreadsAtOnce) {
  const auto scanner =
      PatternScanner::compile(std::vector<Pattern>{{.id = 1, .expression = "[0-9]{3}x"}});
  std::vector<std::jthread> threads;
  std::vector<std::size_t> counts(4);
  for (std::size_t& count : counts) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += scanner->scan("123x 456x").size();
    });
  }
  threads.clear();
  EXPECT_THAT(counts, testing::Each(400));
}

}  // namespace
}  // namespace understudy::text
