#include "adapters/lm/post_json.hpp"

#include <curl/curl.h>

#include <memory>

#include "base/limits.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t response_bytes_max = 64 * limits::mebi;

std::size_t take_bytes(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<std::string*>(to);
  const std::size_t bytes = size * count;
  if (body.size() + bytes > response_bytes_max) return 0;  // ends the transfer with an error
  body.append(data, bytes);
  return bytes;
}

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

}  // namespace

Result<std::string> post_json(const JsonPost& post) {
  const Handle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) return fail(ErrorCode::exhausted, "libcurl makes no handle");
  std::string response;
  Headers headers(curl_slist_append(nullptr, "Content-Type: application/json"),
                  &curl_slist_free_all);
  if (!post.api_key.empty()) {
    const std::string key = "Authorization: Bearer " + post.api_key;
    curl_slist_append(headers.get(), key.c_str());
  }
  curl_easy_setopt(handle.get(), CURLOPT_URL, post.url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, post.timeout_s);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &response);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, post.body.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(post.body.size()));
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_OPERATION_TIMEDOUT)
    return fail(ErrorCode::timeout, post.url + " did not answer in time");
  if (code != CURLE_OK)
    return fail(ErrorCode::unavailable, post.url + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long ok = 200;
  if (status != ok)
    return fail(ErrorCode::unavailable,
                post.url + " answered with status " + std::to_string(status));
  return response;
}

}  // namespace understudy::lm
