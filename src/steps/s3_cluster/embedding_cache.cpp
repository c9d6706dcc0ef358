#include "steps/s3_cluster/embedding_cache.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <format>

#include "adapters/store/sealed_file.hpp"
#include "adapters/text/hashing.hpp"
#include "base/progress.hpp"

namespace understudy::s3 {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t texts_at_once = 64;

TextHash hash_of(std::string_view text) { return {text::hash64(text, 1), text::hash64(text, 2)}; }

Result<Embeddings> ask_for(std::span<const std::string_view> texts, const Embedder& ask) {
  Progress progress("comparing texts by vectors", texts.size(), "texts");
  Embeddings vectors;
  while (!texts.empty()) {
    const auto some = texts.first(std::min(texts_at_once, texts.size()));
    Embeddings found = TRY(ask(some));
    if (found.size() != some.size())
      return fail(ErrorCode::corrupt, "an embedder that gives another number of vectors");
    vectors.append_range(std::move(found));
    progress.advance(some.size());
    texts = texts.subspan(some.size());
  }
  return vectors;
}

}  // namespace

std::string encode_embedding(const TextHash& hash, std::span<const float> vector) {
  std::string bytes(sizeof(TextHash::first_type) * 2 + vector.size_bytes(), '\0');
  std::memcpy(bytes.data(), &hash.first, sizeof hash.first);
  std::memcpy(bytes.data() + sizeof hash.first, &hash.second, sizeof hash.second);
  std::memcpy(bytes.data() + 2 * sizeof hash.first, vector.data(), vector.size_bytes());
  return bytes;
}

Result<std::pair<TextHash, std::vector<float>>> decode_embedding(std::string_view bytes) {
  constexpr std::size_t head = 2 * sizeof(TextHash::first_type);
  if (bytes.size() <= head || (bytes.size() - head) % sizeof(float) != 0)
    return fail(ErrorCode::corrupt, "a cached embedding of a wrong size");
  TextHash hash;
  std::memcpy(&hash.first, bytes.data(), sizeof hash.first);
  std::memcpy(&hash.second, bytes.data() + sizeof hash.first, sizeof hash.second);
  std::vector<float> vector((bytes.size() - head) / sizeof(float));
  std::memcpy(vector.data(), bytes.data() + head, bytes.size() - head);
  return std::pair{hash, std::move(vector)};
}

Result<EmbeddingCache> EmbeddingCache::open(const fs::path& home, const crypto::SecretKey& curator,
                                            std::string_view source) {
  EmbeddingCache cache;
  cache.directory_ = home / "embeddings" / text::hash_hex(source);
  std::error_code error;
  fs::create_directories(cache.directory_, error);
  if (error) {
    return fail(ErrorCode::denied, cache.directory_.string() + ": " + error.message(),
                "make the home directory writable");
  }
  for (;; ++cache.files_) {
    const fs::path file = cache.directory_ / std::format("{:06}.sealed", cache.files_);
    if (!fs::exists(file, error)) return cache;
    auto reader = TRY(store::SealedReader::open(file, curator));
    while (const auto record = TRY(reader.next())) {
      auto [hash, vector] = TRY(decode_embedding(record->reveal()));
      cache.known_.emplace(hash, std::move(vector));
    }
  }
}

Result<Embeddings> EmbeddingCache::embed(std::span<const std::string_view> texts,
                                         const Embedder& ask, const crypto::PublicKey& curator) {
  std::map<TextHash, std::string_view> missing;
  for (const std::string_view text : texts) {
    if (!known_.contains(hash_of(text))) missing.emplace(hash_of(text), text);
  }
  if (!missing.empty()) {
    std::vector<std::string_view> asked;
    for (const auto& [hash, text] : missing) asked.push_back(text);
    Embeddings found = TRY(ask_for(asked, ask));
    const std::array readers{curator};
    auto writer =
        TRY(store::SealedWriter::create(directory_ / std::format("{:06}.sealed", files_), readers));
    ++files_;
    std::size_t next = 0;
    for (const auto& [hash, text] : missing) {
      TRY(writer.append(encode_embedding(hash, found[next])));
      known_.emplace(hash, std::move(found[next++]));
    }
    TRY(writer.close());
  }
  Embeddings vectors;
  for (const std::string_view text : texts) vectors.push_back(known_.at(hash_of(text)));
  return vectors;
}

}  // namespace understudy::s3
