#include "console/web/assets.hpp"

namespace understudy::console {

const WebAsset* find_asset(std::string_view path) {
  for (const WebAsset& asset : web_assets())
    if (asset.path == path) return &asset;
  return nullptr;
}

}  // namespace understudy::console
