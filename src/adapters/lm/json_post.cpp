#include "adapters/lm/json_post.hpp"

#include <curl/curl.h>

#include <memory>

namespace understudy::lm {

namespace {

struct Sink {
  std::string body;
  std::size_t bytes_max = 0;
};

std::size_t take_bytes(char* data, std::size_t size, std::size_t count, void* to) {
  auto& sink = *static_cast<Sink*>(to);
  const std::size_t bytes = size * count;
  if (sink.body.size() + bytes > sink.bytes_max) return 0;  // ends the transfer with an error
  sink.body.append(data, bytes);
  return bytes;
}

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

}  // namespace

Result<std::string> post_json(const JsonPost& request) {
  const Handle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) return fail(ErrorCode::exhausted, "libcurl makes no handle");
  Sink sink{.body = {}, .bytes_max = request.response_bytes_max};
  const Headers headers(curl_slist_append(nullptr, "Content-Type: application/json"),
                        &curl_slist_free_all);
  if (!request.api_key.empty()) {
    const std::string key = "Authorization: Bearer " + request.api_key;
    curl_slist_append(headers.get(), key.c_str());
  }
  curl_easy_setopt(handle.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, request.timeout_s);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, request.body.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request.body.size()));
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_OPERATION_TIMEDOUT)
    return fail(ErrorCode::timeout, request.url + " did not answer in time");
  if (code != CURLE_OK)
    return fail(ErrorCode::unavailable, request.url + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long ok = 200;
  if (status != ok) {
    constexpr long client_error = 400;
    constexpr long request_timeout = 408;
    constexpr long too_many_requests = 429;
    constexpr long server_error = 500;
    const bool refused = status >= client_error && status < server_error &&
                         status != request_timeout && status != too_many_requests;
    return fail(refused ? request.refused : ErrorCode::unavailable,
                request.url + " answered with status " + std::to_string(status));
  }
  return std::move(sink.body);
}

}  // namespace understudy::lm
