#include "adapters/lm/embedding_client.hpp"

#include <algorithm>
#include <utility>

#include "adapters/lm/json_post.hpp"
#include "adapters/lm/unit_vector.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t response_bytes_max = 64 * limits::mebi;
constexpr std::size_t batch_texts = 64;
constexpr std::size_t dimensions_max = 16'384;
constexpr long timeout_s = 60;

std::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorCode::corrupt, "the answer of the embeddings endpoint " + std::string(what));
}

Result<std::vector<float>> vector_of(const json::value& entry) {
  const json::array* numbers = json::find_array(entry, "embedding");
  if (numbers == nullptr || numbers->empty() || numbers->size() > dimensions_max)
    return broken("has an entry without a vector");
  std::vector<float> vector;
  for (const json::value& number : *numbers) {
    if (!number.is_number()) return broken("has a vector of something else than numbers");
    vector.push_back(static_cast<float>(number.to_number<double>()));
  }
  if (!to_unit_length(vector)) return broken("has a vector without a length");
  return vector;
}

Result<std::string> post(const EmbeddingEndpoint& endpoint, std::string body) {
  return post_json({.url = endpoint.url + "/embeddings",
                    .api_key = endpoint.api_key,
                    .body = std::move(body),
                    .timeout_s = timeout_s,
                    .response_bytes_max = response_bytes_max});
}

}  // namespace

Result<std::vector<std::vector<float>>> parse_embeddings(std::string_view body,
                                                         std::size_t inputs) {
  const json::value tree = TRY(json::parse(body));
  const json::array* data = json::find_array(tree, "data");
  if (data == nullptr || data->size() != inputs) return broken("has not one entry per text");
  std::vector<std::vector<float>> vectors(inputs);
  for (std::size_t i = 0; i < inputs; ++i) {
    const json::value& entry = (*data)[i];
    const auto place = json::find_integer(entry, "index").value_or(static_cast<std::int64_t>(i));
    if (place < 0 || place >= static_cast<std::int64_t>(inputs) ||
        !vectors[static_cast<std::size_t>(place)].empty()) {
      return broken("numbers its entries wrongly");
    }
    vectors[static_cast<std::size_t>(place)] = TRY(vector_of(entry));
  }
  for (const auto& vector : vectors) {
    if (vector.size() != vectors.front().size()) return broken("has vectors of several sizes");
  }
  return vectors;
}

Result<std::vector<std::vector<float>>> EmbeddingClient::embed(
    std::span<const std::string_view> texts) const {
  std::vector<std::vector<float>> vectors;
  for (std::size_t begin = 0; begin < texts.size(); begin += batch_texts) {
    const auto batch = texts.subspan(begin, std::min(batch_texts, texts.size() - begin));
    json::array input;
    for (const std::string_view text : batch) input.emplace_back(text);
    const std::string body =
        json::to_text(json::object{{"model", endpoint_.model}, {"input", std::move(input)}});
    for (auto& vector : TRY(parse_embeddings(TRY(post(endpoint_, body)), batch.size())))
      vectors.push_back(std::move(vector));
  }
  return vectors;
}

}  // namespace understudy::lm
