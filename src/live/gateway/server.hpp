// `understudy serve`: the data plane. Knows public keys only. Blocks until SIGINT or SIGTERM, then
// drains. SIGHUP (or the admin API) reads the configuration anew; one that does not hold leaves the
// old one in force.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "live/config/gateway_config.hpp"
#include "live/serve/model_pool.hpp"

namespace understudy::live {

// Told of each listener once it takes connections: "gateway" or "admin", and its address.
using Opened = std::function<void(std::string_view name, const std::string& url)>;

struct GatewayOptions {
  std::filesystem::path home;
  // The configuration, at start and at each reload: the file's with the command line's words on
  // top.
  std::function<Result<GatewayConfig>()> load;
  ModelOpener open_model;                 // small models, when a policy names some
  Opened opened = {};                     // may be empty
  std::filesystem::path port_file;        // empty: none
  std::filesystem::path admin_port_file;  // empty: none
};

Status run_gateway(const GatewayOptions& options);

}  // namespace understudy::live
