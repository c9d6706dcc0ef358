#include "apps/serve_verb.hpp"

#include <cstdio>
#include <memory>
#include <string>

#include "adapters/lm/open_model.hpp"
#include "apps/serve_options.hpp"
#include "apps/show.hpp"
#include "base/json.hpp"
#include "live/gateway/server.hpp"

namespace understudy::apps {

namespace {

// Read again at each reload of a running gateway.
Result<live::GatewayConfig> configure(const ServeOptions& options, const store::Home& home) {
  if (!options.config.empty()) return live::load_config(options.config, options.overrides);
  const std::filesystem::path file = home.directory() / "understudy.toml";
  std::error_code error;
  if (std::filesystem::exists(file, error)) return live::load_config(file, options.overrides);
  if (options.overrides.upstream_url.empty()) {
    return fail(ErrorCode::invalid_input,
                "no upstream: there is neither --upstream nor " + file.string(),
                "`understudy init` asks for the LLM's address and writes one; or run `understudy "
                "serve --upstream https://api.example.com/v1`");
  }
  return live::default_config(options.overrides);
}

std::string counted(const json::value& tree, const char* name) {
  const std::int64_t count = json::find_integer(tree, std::string(name) + "s").value_or(0);
  return std::to_string(count) + " " + name + (count == 1 ? "" : "s");
}

std::string render_validation(const json::value& found) {
  return "the configuration is in order: " + counted(found, "upstream") + ", " +
         counted(found, "model") + ", listening on " + json::string_or(found, "listen") + "\n";
}

// A line for each listener, at once: whoever started the gateway waits for it.
void print_address(std::string_view name, const std::string& url) {
  print(json::to_text(json::object{{name, url}}) + "\n");
  std::fflush(stdout);
}

Status serve(ServeOptions options, const store::Home& home) {
  if (!options.listen.empty()) {
    auto endpoint = live::parse_endpoint(options.listen);
    if (!endpoint) return fail(endpoint.error().within("--listen"));
    options.overrides.listen = std::move(*endpoint);
  }
  if (!options.capture.empty()) {
    options.overrides.capture = parse_capture_mode(options.capture);
    if (!options.overrides.capture) {
      return fail(ErrorCode::invalid_input,
                  "--capture wants off, async or durable, not " + options.capture);
    }
  }
  if (options.validate) {
    const auto config = TRY(configure(options, home));
    return show(json::value({{"in_order", true},
                             {"upstreams", config.upstreams.size()},
                             {"models", config.models.size()},
                             {"listen", config.listen.to_text()}}),
                options.as_json, render_validation);
  }
  return live::run_gateway({.home = home.directory(),
                            .load = [options, home] { return configure(options, home); },
                            .open_model = lm::open_model,
                            .opened = options.as_json ? print_address : live::Opened(),
                            .port_file = options.port_file,
                            .admin_port_file = options.admin_port_file});
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  const auto [verb, options, threads] = add_serve_options(app);
  verb->callback([&app, &action, options = options, threads = threads] {
    if (threads->count() > 0) options->overrides.io_threads = options->threads;
    // `understudy --config FILE serve` means the same.
    const CLI::Option* before = app.get_option_no_throw("--config");
    if (options->config.empty() && before != nullptr && before->count() > 0)
      options->config = before->as<std::filesystem::path>();
    action = [options](const store::Home& home) { return serve(*options, home); };
  });
}

}  // namespace understudy::apps
