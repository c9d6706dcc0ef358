// Where vectors of free texts come from: an API or a GGUF model on this machine. One owner, one
// thread.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/lm/embedding_client.hpp"
#include "base/result.hpp"
#include "steps/s3_cluster/embedding_cache.hpp"

namespace understudy::s3 {

struct EmbeddingSource {
  std::string name;  // changes with whatever gives other vectors: what was kept belongs to it
  Embedder embed;
};

EmbeddingSource embeddings_of(const lm::EmbeddingEndpoint& endpoint);
// not_found names the file. The model is loaded when it is asked first: not at all where every
// vector is known.
Result<EmbeddingSource> embeddings_of(const std::filesystem::path& gguf);

}  // namespace understudy::s3
