#include "apps/show.hpp"

#include <cstdio>

namespace understudy::apps {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

Status show(Result<json::value> result, bool as_json, Render render) {
  const json::value value = TRY(std::move(result));
  print(as_json ? json::to_text(value) + "\n" : render(value));
  return {};
}

}  // namespace understudy::apps
