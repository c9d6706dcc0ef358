// `understudy serve`: the data plane. Knows public keys only. Blocks until SIGINT or SIGTERM, then
// drains.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace understudy::live {

struct GatewayOptions {
  std::filesystem::path home;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;        // 0: any free one
  std::string upstream;             // "https://api.example.com/v1"
  std::string upstream_key_env;     // empty: the client's own Authorization is passed on
  std::filesystem::path port_file;  // empty: none
  std::size_t io_threads = 0;       // 0: one per core
};

Status run_gateway(const GatewayOptions& options);

}  // namespace understudy::live
