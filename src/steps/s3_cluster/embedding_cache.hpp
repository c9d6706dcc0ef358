// Embeddings of texts, asked for once: a source of vectors behind a cache by content hash. What is
// known lies below home/embeddings/, one folder per source, in files sealed to the curator, because
// text can be guessed from its vector. One owner, one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "base/result.hpp"

namespace understudy::s3 {

using Embeddings = std::vector<std::vector<float>>;
using Embedder = std::function<Result<Embeddings>(std::span<const std::string_view>)>;

// One record of a cache file: 16 bytes of hash, then the vector's floats as they lie in memory.
using TextHash = std::pair<std::uint64_t, std::uint64_t>;
std::string encode_embedding(const TextHash& hash, std::span<const float> vector);
// corrupt when the bytes are no such record.
Result<std::pair<TextHash, std::vector<float>>> decode_embedding(std::string_view bytes);

class EmbeddingCache {
 public:
  // Reads what is known of `source` (EmbeddingSource::name).
  static Result<EmbeddingCache> open(const std::filesystem::path& home,
                                     const crypto::SecretKey& curator, std::string_view source);
  // Asks `ask` for those that are not known, and keeps them in a new file.
  Result<Embeddings> embed(std::span<const std::string_view> texts, const Embedder& ask,
                           const crypto::PublicKey& curator);
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  std::filesystem::path directory_;
  std::map<TextHash, std::vector<float>> known_;
  std::size_t files_ = 0;
};

}  // namespace understudy::s3
