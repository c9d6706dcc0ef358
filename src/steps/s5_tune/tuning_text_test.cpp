#include "steps/s5_tune/tuning_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace understudy::s5 {
namespace {

TEST(TuningText, ReadsPromptsAndMessages) {
  std::istringstream lines(R"({"prompt":"p","answer":"a"}

{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"b"}]}
)");
  const auto examples = read_tuning_text(lines, "x.jsonl");
  ASSERT_TRUE(examples.has_value()) << examples.error().to_text();
  ASSERT_EQ(examples->size(), 2U);
  EXPECT_EQ(examples->at(0).prompt, "p");
  EXPECT_TRUE(examples->at(0).turns.empty());
  EXPECT_EQ(examples->at(1).turns.size(), 2U);
  EXPECT_EQ(examples->at(1).answer, "b");
  EXPECT_EQ(examples->at(1).where, "x.jsonl:3");
}

TEST(TuningText, NamesTheLineThatIsWrong) {
  for (const char* bad :
       {"{", R"({"prompt":"p"})", R"({"prompt":"p","answer":""})", R"({"messages":[]})",
        R"({"messages":[{"role":"user","content":"u"}]})",
        R"({"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null}]})"}) {
    std::istringstream lines("{\"prompt\":\"p\",\"answer\":\"a\"}\n" + std::string(bad) + "\n");
    const auto examples = read_tuning_text(lines, "x.jsonl");
    ASSERT_FALSE(examples.has_value()) << bad;
    EXPECT_NE(examples.error().message.find("x.jsonl:2"), std::string::npos) << bad;
  }
}

}  // namespace
}  // namespace understudy::s5
