#include "apps/new_config.hpp"

#include <format>

#include "live/config/gateway_config.hpp"

namespace understudy::apps {

namespace {

// As a TOML basic string.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') out += '\\';
    if (static_cast<unsigned char>(byte) < 0x20) {
      out += std::format("\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += byte;
    }
  }
  return out + "\"";
}

}  // namespace

Result<std::string> render_new_config(const NewConfig& wanted) {
  const bool anthropic = wanted.upstream.find("anthropic") != std::string::npos;
  std::string text =
      "# What the gateway is told; `understudy serve --validate` checks it, a running gateway "
      "reads "
      "it again on SIGHUP.\n"
      "# Every key with its default: docs/reference/config.md\n\n"
      "format = 1  # of this file\n\n"
      "# Where agents reach it. Beyond 127.0.0.1, give callers virtual keys: `understudy access "
      "add`.\n"
      "listen = " +
      toml_text(wanted.listen) +
      "\n\n# The LLM's API. No request can name another one.\n[[upstream]]\nname = "
      "\"default\"\nurl = " +
      toml_text(wanted.upstream) + "\nprotocol = " + (anthropic ? "\"anthropic\"" : "\"openai\"") +
      "\n";
  text += wanted.key_env.empty()
              ? "# The agents' own API key is passed on. To keep it out of the agents, name the "
                "variable that holds it:\n# api_key_env = \"LLM_API_KEY\"\n"
              : "# The variable that holds the API's key; the key itself never stands here.\n"
                "api_key_env = " +
                    toml_text(wanted.key_env) + "\n";
  text +=
      "\n# What is recorded: async (answers never wait for the disk), durable, or off.\n"
      "[capture]\nmode = \"async\"\n# retention_days = 90        # segments older than this are "
      "deleted\n\n"
      "# Metrics and keys over HTTP, by role tokens (`understudy access token`).\n"
      "# [admin]\n# listen = \"127.0.0.1:8081\"\n\n"
      "# Options of other verbs may stand here too:\n# [tune]\n# max-minutes = 5\n";
  // It lies in no file yet: what is wrong are the caller's own words.
  if (const auto parsed = live::parse_config(text, {}); !parsed) {
    return fail(ErrorCode::invalid_input, parsed.error().message,
                "nothing was written; say it otherwise");
  }
  return text;
}

}  // namespace understudy::apps
