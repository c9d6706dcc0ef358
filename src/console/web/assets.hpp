// The built web page (web/), inside the program. Generated: tools/build_web.py writes the source of
// web_assets() into the build folder. Plain data, lives as long as the program.
#pragma once

#include <span>
#include <string_view>

namespace understudy::console {

struct WebAsset {
  std::string_view path;  // "/", "/assets/index-1a2b3c.js"
  std::string_view content_type;
  std::string_view plain;
  std::string_view gzip;
};

std::span<const WebAsset> web_assets();
const WebAsset* find_asset(std::string_view path);

}  // namespace understudy::console
