// The commented understudy.toml that `understudy init` writes. Pure.
#pragma once

#include <string>

#include "base/result.hpp"

namespace understudy::apps {

struct NewConfig {
  std::string upstream = "https://api.openai.com/v1";
  std::string key_env;  // empty: the client's own key is passed on
  std::string listen = "127.0.0.1:8080";
};

// The file's text, after it was read back as the gateway would read it. invalid_input.
Result<std::string> render_new_config(const NewConfig& wanted);

}  // namespace understudy::apps
