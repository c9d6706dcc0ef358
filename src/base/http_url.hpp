// What a person gives where a URL or something else may stand. Pure.
#pragma once

#include <string_view>

namespace understudy {

constexpr bool is_http_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

}  // namespace understudy
