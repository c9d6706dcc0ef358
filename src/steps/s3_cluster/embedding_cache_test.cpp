#include "steps/s3_cluster/embedding_cache.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

namespace understudy::s3 {
namespace {

namespace fs = std::filesystem;

class Cache : public testing::Test {
 protected:
  Cache() {
    std::string name = (fs::temp_directory_path() / "understudy-embeddings-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    EXPECT_TRUE(crypto::init_keys(directory_ / "keys"));
    ask_ = [this](std::span<const std::string_view> texts) -> Result<Embeddings> {
      asked_ += texts.size();
      Embeddings vectors;
      for (const std::string_view text : texts)
        vectors.push_back({static_cast<float>(text.size()), 1.0F});
      return vectors;
    };
  }
  ~Cache() override { fs::remove_all(directory_); }

  Result<EmbeddingCache> open(const std::string& source) const {
    return EmbeddingCache::open(
        directory_, crypto::load_secret_key(directory_ / "keys", crypto::Role::curator).value(),
        source);
  }
  crypto::PublicKey curator() const {
    return crypto::load_public_key(directory_ / "keys", crypto::Role::curator).value();
  }

  fs::path directory_;
  Embedder ask_;
  std::size_t asked_ = 0;
};

TEST_F(Cache, AsksForEachTextOnceAlsoAfterARestart) {
  const std::array<std::string_view, 3> texts{"one", "three", "one"};
  {
    auto cache = open("m").value();
    const auto vectors = cache.embed(texts, ask_, curator());
    ASSERT_TRUE(vectors.has_value()) << vectors.error().to_text();
    EXPECT_FLOAT_EQ((*vectors)[1][0], 5);
    EXPECT_EQ((*vectors)[0], (*vectors)[2]);
  }
  EXPECT_EQ(asked_, 2U);
  auto again = open("m").value();
  EXPECT_EQ(again.size(), 2U);
  EXPECT_TRUE(again.embed(texts, ask_, curator()).has_value());
  EXPECT_EQ(asked_, 2U);
  EXPECT_EQ(open("another").value().size(), 0U);
}

TEST_F(Cache, AFailedEndpointLeavesNothingBehind) {
  auto cache = open("m").value();
  const std::array<std::string_view, 1> texts{"one"};
  const Embedder away = [](std::span<const std::string_view>) -> Result<Embeddings> {
    return fail(ErrorCode::unavailable, "away");
  };
  EXPECT_FALSE(cache.embed(texts, away, curator()).has_value());
  EXPECT_EQ(open("m").value().size(), 0U);
}

TEST(EmbeddingRecord, ThatIsCutIsCorrupt) {
  const std::string bytes = encode_embedding({1, 2}, std::array{1.0F, 2.0F});
  EXPECT_EQ(decode_embedding(bytes).value().second.size(), 2U);
  EXPECT_FALSE(decode_embedding(bytes.substr(0, 16)).has_value());
  EXPECT_FALSE(decode_embedding(bytes.substr(0, 19)).has_value());
}

}  // namespace
}  // namespace understudy::s3
