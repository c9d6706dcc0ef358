#include "adapters/wire/api.hpp"

#include <array>

namespace understudy::wire {

namespace {

struct Names {
  Api api;
  std::string_view name;
  std::string_view path;
};

constexpr std::array names = {
    Names{Api::chat_completions, "chat.completions", "/v1/chat/completions"},
    Names{Api::completions, "completions", "/v1/completions"},
    Names{Api::responses, "responses", "/v1/responses"},
    Names{Api::embeddings, "embeddings", "/v1/embeddings"},
    Names{Api::messages, "messages", "/v1/messages"},
};

}  // namespace

std::string_view to_string(Api api) {
  for (const Names& entry : names) {
    if (entry.api == api) return entry.name;
  }
  return {};
}

std::optional<Api> parse_api(std::string_view text) {
  for (const Names& entry : names) {
    if (entry.name == text) return entry.api;
  }
  return std::nullopt;
}

std::optional<Api> api_of_path(std::string_view path) {
  path = path.substr(0, path.find('?'));
  for (const Names& entry : names) {
    if (entry.path == path) return entry.api;
  }
  return std::nullopt;
}

}  // namespace understudy::wire
