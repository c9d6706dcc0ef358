#include "steps/s3_cluster/embedding_source.hpp"

#include <memory>
#include <optional>
#include <system_error>

#include "adapters/lm/embedding_model.hpp"

namespace understudy::s3 {

EmbeddingSource embeddings_of(const lm::EmbeddingEndpoint& endpoint) {
  return {.name = endpoint.url + '\x1f' + endpoint.model,
          .embed = [client = lm::EmbeddingClient(endpoint)](
                       std::span<const std::string_view> texts) { return client.embed(texts); }};
}

Result<EmbeddingSource> embeddings_of(const std::filesystem::path& gguf) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(gguf, error);
  const auto bytes = error ? 0 : std::filesystem::file_size(path, error);
  if (error) {
    return fail(ErrorCode::not_found, gguf.string() + ": " + error.message(),
                "Give a GGUF file with an embedding model, or the URL of an API, "
                "for example http://127.0.0.1:8080/v1.");
  }
  const auto changed = std::filesystem::last_write_time(path, error).time_since_epoch().count();
  auto model = std::make_shared<std::optional<lm::EmbeddingModel>>();
  return EmbeddingSource{
      .name = path.string() + '\x1f' + std::to_string(bytes) + '\x1f' + std::to_string(changed),
      .embed = [path, model](std::span<const std::string_view> texts) -> Result<Embeddings> {
        if (!*model) model->emplace(TRY(lm::EmbeddingModel::open(path)));
        return (*model)->embed(texts);
      }};
}

}  // namespace understudy::s3
