#include "steps/s1_capture/request_text.hpp"

#include <gtest/gtest.h>

namespace understudy::s1 {
namespace {

TEST(RequestText, IsTheUsualTextAndNamesWhatRepeats) {
  const std::string message = R"({"role":"user","content":")" + std::string(80, 'x') + "\"}";
  const std::string tool =
      R"({"type":"function","function":{"name":")" + std::string(60, 'f') + "\"}}";
  const std::string system = "\"" + std::string(70, 's') + "\"";
  const std::string text = R"({"model":"m","messages":[)" + message +
                           R"(,{"role":"user","content":"short"},)" + message + R"(],"tools":[)" +
                           tool + R"(],"system":)" + system + R"(,"stop":[],"n":1.5})";
  const RequestText made = to_request_text(json::parse(text).value());
  EXPECT_EQ(made.text.reveal(), json::to_text(json::parse(text).value()));
  std::vector<std::string> parts;
  for (const TextRange& range : made.repeated) {
    parts.push_back(made.text.reveal().substr(range.begin, range.bytes));
  }
  EXPECT_EQ(parts, (std::vector{message, message, tool, system}));
}

TEST(RequestText, TakesAnythingThatIsJson) {
  for (const char* text : {"{}", "[]", "null", "\"x\"", R"({"messages":[]})", R"({"messages":{}})",
                           R"({"a\"b":"c\u0000d"})"}) {
    const json::value tree = json::parse(text).value();
    EXPECT_EQ(to_request_text(tree).text.reveal(), json::to_text(tree)) << text;
  }
}

}  // namespace
}  // namespace understudy::s1
