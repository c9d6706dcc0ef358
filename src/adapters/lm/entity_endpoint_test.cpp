#include "adapters/lm/entity_endpoint.hpp"

#include <gtest/gtest.h>

namespace understudy::lm {
namespace {

TEST(EntityEndpoint, PlacesAreCodePointsInTheAnswerAndBytesHere) {
  const std::string text = "Grüße an Zoë Müller!";
  const auto spans = parse_named_spans(
      R"([{"start": 9, "end": 19, "entity_type": "PERSON", "score": 0.85, "analysis_explanation": null}])",
      text);
  ASSERT_TRUE(spans) << spans.error().to_text();
  ASSERT_EQ(spans->size(), 1U);
  EXPECT_EQ(text.substr((*spans)[0].begin, (*spans)[0].end - (*spans)[0].begin), "Zoë Müller");
  EXPECT_EQ((*spans)[0].type, "PERSON");
  EXPECT_DOUBLE_EQ((*spans)[0].score, 0.85);
}

TEST(EntityEndpoint, WhatIsNoAnswerIsAnError) {
  for (const char* body :
       {"", "{}", "[1]", R"([{"start": 0, "end": 4, "entity_type": "X"}])",
        R"([{"start": -1, "end": 2, "entity_type": "X"}])",
        R"([{"start": 2, "end": 2, "entity_type": "X"}])", R"([{"start": 0, "end": 2}])"})
    EXPECT_FALSE(parse_named_spans(body, "abc")) << body;
  EXPECT_TRUE(parse_named_spans("[]", "abc")->empty());
  EXPECT_TRUE(parse_named_spans(R"([{"start": 0, "end": 3, "entity_type": "X"}])", "abc"));
}

TEST(EntityEndpoint, AnEndpointOutOfReachIsNamedAndTheTextIsNot) {
  const auto answer = ask_entities({.url = "http://127.0.0.1:1/analyze"}, "Jane Doe");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(answer.error().message.contains("127.0.0.1:1"));
  EXPECT_FALSE(answer.error().to_text().contains("Jane"));
}

}  // namespace
}  // namespace understudy::lm
