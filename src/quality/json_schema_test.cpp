#include "quality/json_schema.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace understudy::quality {
namespace {

bool fits(std::string_view value, std::string_view schema) {
  return fits_schema(*json::parse(value), *json::parse(schema));
}

TEST(JsonSchema, AllowsWhatItDoesNotSay) {
  EXPECT_TRUE(fits("3", R"({"format":"date","x-own":1})"));
  EXPECT_TRUE(fits("3", R"({"anyOf":[{"type":"string"},{"type":"number"}]})"));
  EXPECT_FALSE(fits("true", R"({"type":["string","null"]})"));
  EXPECT_TRUE(
      fits(R"({"x1":"a"})", R"({"patternProperties":{"^x":{}},"additionalProperties":false})"));
}

TEST(JsonSchema, AsksForMembersAndNoOthers) {
  constexpr std::string_view schema =
      R"({"type":"object","required":["who","time"],"additionalProperties":false,
          "properties":{"who":{"type":"string"},"time":{"$ref":"#/$defs/time"}},
          "$defs":{"time":{"type":"string","minLength":5,"maxLength":5}}})";
  EXPECT_TRUE(fits(R"({"who":"Kai","time":"12:30"})", schema));
  EXPECT_TRUE(fits(R"({"who":"Kai","time":"12é30"})", schema)) << "five characters in six bytes";
  EXPECT_FALSE(fits(R"({"time":"12:30"})", schema));
  EXPECT_FALSE(fits(R"({"who":"Kai","time":"half past"})", schema));
  EXPECT_FALSE(fits(R"({"who":"Kai","time":"12:30","seats":1})", schema));
}

TEST(JsonSchema, KeepsToItsBounds) {
  constexpr std::string_view schema =
      R"({"items":{"minimum":1,"exclusiveMaximum":10},"minItems":1,"maxItems":2})";
  EXPECT_TRUE(fits("[1,9.5]", schema));
  for (const char* value : {"[]", "[0]", "[10]", "[1,1,1]"})
    EXPECT_FALSE(fits(value, schema)) << value;
}

TEST(JsonSchema, KnowsWholeNumbersOfAnySize) {
  for (const char* value : {"7", "-3.0", "5e90", "18446744073709551615"})
    EXPECT_TRUE(fits(value, R"({"type":"integer"})")) << value;
  for (const char* value : {"0.5", "1e-3"})
    EXPECT_FALSE(fits(value, R"({"type":"integer"})")) << value;
}

// A client's schema must not be able to hold a thread or to end the process.
TEST(JsonSchema, ASchemaThatRefersToItselfEnds) {
  EXPECT_TRUE(fits("3", R"({"$ref":"#"})"));
  EXPECT_TRUE(fits("3", R"({"allOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]})"));
}

}  // namespace
}  // namespace understudy::quality
