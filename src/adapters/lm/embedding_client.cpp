#include "adapters/lm/embedding_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t response_bytes_max = 64 * limits::mebi;
constexpr std::size_t batch_texts = 64;
constexpr std::size_t dimensions_max = 16'384;
constexpr long timeout_s = 60;

std::size_t take_bytes(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<std::string*>(to);
  const std::size_t bytes = size * count;
  if (body.size() + bytes > response_bytes_max) return 0;  // ends the transfer with an error
  body.append(data, bytes);
  return bytes;
}

std::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorCode::corrupt, "the answer of the embeddings endpoint " + std::string(what));
}

Result<std::vector<float>> vector_of(const json::value& entry) {
  const json::array* numbers = json::find_array(entry, "embedding");
  if (numbers == nullptr || numbers->empty() || numbers->size() > dimensions_max)
    return broken("has an entry without a vector");
  std::vector<float> vector;
  double norm = 0;
  for (const json::value& number : *numbers) {
    if (!number.is_number()) return broken("has a vector of something else than numbers");
    const auto value = number.to_number<double>();
    norm += value * value;
    vector.push_back(static_cast<float>(value));
  }
  if (!std::isfinite(norm) || norm <= 0) return broken("has a vector without a length");
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(norm));
  return vector;
}

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Result<std::string> post(const EmbeddingEndpoint& endpoint, const std::string& body) {
  const Handle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) return fail(ErrorCode::exhausted, "libcurl makes no handle");
  const std::string url = endpoint.url + "/embeddings";
  std::string response;
  Headers headers(curl_slist_append(nullptr, "Content-Type: application/json"),
                  &curl_slist_free_all);
  if (!endpoint.api_key.empty()) {
    const std::string key = "Authorization: Bearer " + endpoint.api_key;
    curl_slist_append(headers.get(), key.c_str());
  }
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, timeout_s);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &response);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_OPERATION_TIMEDOUT)
    return fail(ErrorCode::timeout, url + " did not answer in time");
  if (code != CURLE_OK) return fail(ErrorCode::unavailable, url + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long ok = 200;
  if (status != ok)
    return fail(ErrorCode::unavailable, url + " answered with status " + std::to_string(status));
  return response;
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
