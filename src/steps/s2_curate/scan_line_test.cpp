#include "steps/s2_curate/scan_line.hpp"

#include <gtest/gtest.h>

#include <array>
#include <format>
#include <string>

#include "base/json.hpp"

namespace understudy::s2 {
namespace {

// What a full JSON parser makes of the same text.
std::string parsed_text(std::string_view line) {
  const auto tree = json::parse(line);
  return tree ? json::string_or(*tree, "text", "?") : "not JSON";
}

TEST(ScanLine, ReadsTheTextAsAJsonParserDoes) {
  for (const char* text :
       {R"()", R"(plain)", R"(a \"quoted\" word)", R"(\\n is no line\n but this\t\/ \b\f\r)",
        R"(\u00e9 and \ud83d\ude00 and é)", R"(12345678\"2345678\\345678\n)", R"(exactly8)",
        R"(exactly8\"exactly8)", R"({\"content\":\"a \\\"b\\\" c\"})"}) {
    for (const auto* line :
         {R"({{"id":7,"text":"{}"}})", R"( {{ "text" : "{}" , "id" : "a-1" }} )"}) {
      const std::string written = std::vformat(line, std::make_format_args(text));
      const auto read = read_scan_line(written);
      ASSERT_TRUE(read.has_value()) << written;
      EXPECT_EQ(read->text, parsed_text(written)) << written;
    }
  }
}

TEST(ScanLine, KeepsTheIdAsItWasWritten) {
  for (const auto& [written, kept] : std::to_array<std::pair<const char*, const char*>>(
           {{"42", "42"},
            {"\"x y\"", "\"x y\""},
            {"null", "null"},
            {"-1", "-1"},
            {R"("\u0041")", R"("A")"},
            {"18446744073709551615", "18446744073709551615"}})) {
    const auto read = read_scan_line(std::format(R"({{"id":{},"text":""}})", written));
    ASSERT_TRUE(read.has_value()) << written;
    EXPECT_EQ(read->id, kept);
  }
}

TEST(ScanLine, TakesNoLineThatIsNoJsonOrHasNoText) {
  for (const char* line :
       {R"({"id":1,"text":"open)", R"({"id":1,"text":"a"} x)", R"({"id":01,"text":"a"})",
        R"({"id":1,"text":"\ud83d alone"})", R"({"id":1,"text":"\x"})", R"({"id":1,"text":"\u12"})",
        "{\"id\":1,\"text\":\"a\nb\"}", R"({"id":1,"text":5})", R"({"id":[],"text":"a"})",
        R"({"text":"a"})", R"({"id":1})", R"(["id","text"])", "{", "{\"id\":1,\"text\":\"\\"})
    EXPECT_FALSE(read_scan_line(line).has_value()) << line;
}

TEST(ScanLine, TakesMembersThatItDoesNotKnow) {
  const auto read = read_scan_line(R"({"id":1,"source":{"file":"x"},"text":"a","text":"b"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->text, "b");  // as the parser has it
}

}  // namespace
}  // namespace understudy::s2
