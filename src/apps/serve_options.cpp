#include "apps/serve_options.hpp"

namespace understudy::apps {

ServeVerb add_serve_options(CLI::App& app) {
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* verb = app.add_subcommand(
      "serve", "the gateway: relay, record, and answer what small models may answer");
  verb->add_option("--config", options->config,
                   "the configuration (default: HOME/understudy.toml, if there is one)");
  verb->add_option("--upstream", options->overrides.upstream_url,
                   "base URL of the LLM API, for example https://api.example.com/v1; stands for "
                   "the configuration's [[upstream]]");
  verb->add_option("--upstream-key-env", options->overrides.upstream_key_env,
                   "environment variable with that upstream's API key (default: the client's own "
                   "key is passed on)");
  verb->add_option("--listen", options->listen,
                   "HOST:PORT; port 0 takes a free one (default: 127.0.0.1:8080)");
  verb->add_option(
      "--capture", options->capture,
      "off, async (default: a kill loses at most the last group) or durable (an answer "
      "ends when its call is on the disk)");
  CLI::Option* threads =
      verb->add_option("--threads", options->threads, "I/O threads (default: one per core)");
  verb->add_option("--port-file", options->port_file, "write the port here once it is open");
  verb->add_option("--admin-port-file", options->admin_port_file,
                   "write the admin API's port here once it is open");
  verb->add_flag("--validate", options->validate, "check the configuration and end");
  verb->add_flag("--json", options->as_json,
                 "print what --validate found, or the addresses once they are open, as JSON");
  return {.verb = verb, .options = options, .threads = threads};
}

}  // namespace understudy::apps
