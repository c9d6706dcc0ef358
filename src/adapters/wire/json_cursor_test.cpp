#include "adapters/wire/json_cursor.hpp"

#include <gtest/gtest.h>

namespace understudy::wire {
namespace {

TEST(JsonCursor, ChecksTheGrammarOfWhatItSkips) {
  const auto is_valid = [](std::string_view text) {
    const JsonText json(text);
    JsonCursor cursor = json.cursor(Check::all);
    cursor.skip();
    return cursor.at_end();
  };
  for (const char* text : {"{}", "[]", "[1,-2.5e+3,0,true,false,null,\"\\u00e9\\n\"]", "\"x\"", "0",
                           R"({"a":{"b":[{},[]]}})"})
    EXPECT_TRUE(is_valid(text)) << text;
  for (const char* text : {"",         "{",          "}",     "[1,]",    "{\"a\"}",
                           "{\"a\":}", "{\"a\":1,}", "{1:2}", "[1 2]",   "tru",
                           "01",       "1.",         "-",     "\"\\q\"", "\"\\u12\"",
                           "\"a",      "[}",         "{]",    "1 2",     "{\"a\":1 \"b\":2}",
                           "nul",      "1e"})
    EXPECT_FALSE(is_valid(text)) << text;
}

TEST(JsonCursor, UnescapesEveryKindOfEscape) {
  EXPECT_EQ(unescape(R"(a\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\ud83dx)"),
            "a\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001F600\uFFFDx");
}

}  // namespace
}  // namespace understudy::wire
