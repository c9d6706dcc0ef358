#include "adapters/lm/embedding_client.hpp"

#include <gtest/gtest.h>

#include <array>

namespace understudy::lm {
namespace {

TEST(ParseEmbeddings, GivesVectorsOfLengthOneInTheOrderOfTheTexts) {
  const auto vectors = parse_embeddings(
      R"({"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]})", 2);
  ASSERT_TRUE(vectors.has_value());
  EXPECT_FLOAT_EQ((*vectors)[0][0], 0.6F);
  EXPECT_FLOAT_EQ((*vectors)[0][1], 0.8F);
  EXPECT_FLOAT_EQ((*vectors)[1][1], 1.0F);
}

TEST(ParseEmbeddings, RefusesWhatIsNoSuchAnswer) {
  for (const char* body :
       {"", "{}", R"({"data":[]})", R"({"data":[{"embedding":[]}]})",
        R"({"data":[{"embedding":["x"]}]})", R"({"data":[{"embedding":[0,0]}]})",
        R"({"data":[{"index":7,"embedding":[1]}]})", R"({"data":[{"embedding":[1e300,1e300]}]})"}) {
    EXPECT_FALSE(parse_embeddings(body, 1).has_value()) << body;
  }
  EXPECT_FALSE(
      parse_embeddings(R"({"data":[{"embedding":[1]},{"embedding":[1,2]}]})", 2).has_value());
  EXPECT_FALSE(
      parse_embeddings(R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})", 2)
          .has_value());
}

TEST(EmbeddingClient, SaysWhichEndpointIsAway) {
  const EmbeddingClient client({.url = "http://127.0.0.1:1/v1", .model = "m", .api_key = ""});
  const std::array<std::string_view, 1> texts{"a"};
  const auto vectors = client.embed(texts);
  ASSERT_FALSE(vectors.has_value());
  EXPECT_EQ(vectors.error().code, ErrorCode::unavailable);
  EXPECT_NE(vectors.error().to_text().find("127.0.0.1:1"), std::string::npos);
  EXPECT_TRUE(client.embed({}).value().empty());
}

}  // namespace
}  // namespace understudy::lm
