// One parse of understudy.toml, shared by the sources that read its parts: config_values,
// config_upstreams, config_sections; load_config puts them together. Private to live/config; lives
// on the stack of one parse.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "live/config/gateway_config.hpp"
#include "live/config/toml_reader.hpp"

namespace understudy::live {

// Everything of one file that later checks need to point at.
struct Parse {
  GatewayConfig config;
  Problems problems;
  const ConfigOverrides& overrides;
  std::vector<const toml::table*> upstream_tables;
  std::vector<const toml::table*> model_tables;
};

bool is_header_name(std::string_view name);
// What is wrong with the base URL of an upstream; empty: nothing.
std::string_view url_problem(std::string_view url);
void read_endpoint(TableReader& reader, std::string_view key, Endpoint& value);
void read_path(TableReader& reader, std::string_view key, std::filesystem::path& value);
void read_tls(TableReader& reader, TlsConfig& tls);

UpstreamConfig upstream_of(const ConfigOverrides& overrides);
void read_upstreams(TableReader& reader, Parse& parse);
void name_upstreams(Parse& parse);
void read_model(const toml::table& table, Parse& parse);
void check_larger(Parse& parse);

void read_retries(const toml::table& table, Parse& parse);
void read_breaker(const toml::table& table, Parse& parse);
void read_capture(const toml::table& table, Parse& parse);
void read_human_facing(const toml::table& table, Parse& parse);
void read_access(const toml::table& table, Parse& parse);
void read_admin(const toml::table& table, Parse& parse);
void read_telemetry(const toml::table& table, Parse& parse);

}  // namespace understudy::live
