#include "steps/s5_tune/cross_agreement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::s5 {
namespace {

// Each label has words of its own; of every seventh text the label is another one's.
std::vector<text::LabelledText> examples(std::size_t count) {
  std::vector<text::LabelledText> made;
  for (std::size_t i = 0; i < count; ++i) {
    const char said = static_cast<char>('a' + i % 3);
    const char label = i % 7 == 0 ? static_cast<char>('a' + (i + 1) % 3) : said;
    made.push_back(
        {.text = std::string(4, said) + " " + std::to_string(i), .label = std::string(1, label)});
  }
  return made;
}

TEST(CrossAgreement, EveryExampleIsAskedOnceByTheModelThatDidNotSeeIt) {
  const auto bins =
      cross_agreement(examples(5'000), {.voters_from = 100'000, .words = nullptr}).value();
  std::int64_t calls = 0;
  std::int64_t agreed = 0;
  for (const quality::AgreementBin& bin : bins) {
    calls += bin.calls;
    agreed += bin.agreed;
  }
  EXPECT_EQ(calls, 5'000);
  EXPECT_NEAR(static_cast<double>(agreed) / 5'000, 6.0 / 7, 0.06)
      << "a model that had seen its texts would know the odd ones";
}

TEST(CrossAgreement, OfFewExamplesAHalfSaysLittle) {
  EXPECT_TRUE(cross_agreement(examples(4'000), {}).value().empty());
}

}  // namespace
}  // namespace understudy::s5
