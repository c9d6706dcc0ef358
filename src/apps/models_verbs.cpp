// `understudy models`: base models on this machine, and the catalogue of those worth having.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/render.hpp"
#include "apps/show.hpp"
#include "apps/table.hpp"
#include "apps/verb_builder.hpp"
#include "base/figures.hpp"
#include "console/model_jobs.hpp"

namespace understudy::apps {

namespace {

constexpr double giga = 1e9;
constexpr double mebi = 1024.0 * 1024;

constexpr const char* help =
    "base models for adapters: those on this machine, and the catalogue\n\n"
    "A base model is a GGUF file, or a Hugging Face directory (config.json, tokenizer.json,\n"
    "safetensors), which is converted to one. Understudy downloads nothing: fetch one, then\n\n"
    "  understudy models add ~/Downloads/Qwen3-0.6B-Q4_K_M.gguf\n"
    "  understudy models measure Qwen3-0.6B-Q4_K_M          how fast it is here, by llama-bench\n"
    "  understudy select TASK && understudy tune TASK --base Qwen3-0.6B-Q4_K_M\n\n"
    "Facts of the catalogue carry their sources (`models show NAME --json`); own entries stand in\n"
    "HOME/slm_catalogue.toml.";

std::string decimals(std::optional<double> value, int digits, std::string_view unit = "") {
  if (!value) return "-";
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, *value);
  return buffer + std::string(unit);
}

// The files and the catalogue leave empty what they do not say.
std::string licence_of(const json::value& model) {
  const std::string licence = json::string_or(model, "licence");
  return licence.empty() ? "not known" : licence;
}

std::string billions(const json::value& model) {
  const auto count = json::find_integer(model, "parameters");
  return decimals(count ? std::optional(static_cast<double>(*count) / giga) : std::nullopt, 2);
}

std::string speed_text(const json::value& model) {
  const json::value* measured = json::find(model, "measured");
  if (measured == nullptr) return "not measured";
  return decimals(json::find_number(*measured, "prompt_tokens_per_s"), 0) + " read, " +
         decimals(json::find_number(*measured, "answer_tokens_per_s"), 1) + " written";
}

std::string installed_text(const json::array& models) {
  if (models.empty()) return "no base model on this machine: understudy models add FILE.gguf\n";
  Table table({{.title = "on this machine"},
               {.title = "architecture"},
               {.title = "billion", .align = Align::right},
               {.title = "stored as"},
               {.title = "MiB", .align = Align::right},
               {.title = "context", .align = Align::right},
               {.title = "licence", .width_max = 24},
               {.title = "tokens/s"}});
  for (const json::value& model : models) {
    table.add(
        {json::string_or(model, "name"), json::string_or(model, "architecture"), billions(model),
         json::string_or(model, "stored_as"),
         decimals(static_cast<double>(json::find_integer(model, "weight_bytes").value_or(0)) / mebi,
                  0),
         thousands(json::find_integer(model, "context_tokens").value_or(0)), licence_of(model),
         speed_text(model)});
  }
  return table.to_text();
}

std::string catalogue_text(const json::array& catalogue) {
  Table table({{.title = "catalogue"},
               {.title = "billion", .align = Align::right},
               {.title = "licence", .width_max = 24},
               {.title = "context", .align = Align::right},
               {.title = "tools"},
               {.title = "IFEval", .align = Align::right}});
  for (const json::value& model : catalogue) {
    const auto context = json::find_integer(model, "context_tokens");
    const auto tools = json::find_number(model, "tool_use");
    table.add({json::string_or(model, "name"),
               decimals(json::find_number(model, "parameters_billion"), 2), licence_of(model),
               context ? thousands(*context) : "-",
               tools ? decimals(tools, 0, " % ") + json::string_or(model, "tool_use_version") : "-",
               decimals(json::find_number(model, "ifeval"), 0)});
  }
  return table.to_text();
}

std::string render_models(const json::value& result) {
  std::string out = render_machine(*json::find(result, "machine")) + "\n\n" +
                    installed_text(*json::find_array(result, "models"));
  for (const json::value& broken : *json::find_array(result, "broken"))
    out += "warning: " + std::string(broken.as_string()) + "\n";
  return out + "\n" + catalogue_text(*json::find_array(result, "catalogue"));
}

std::string render_model(const json::value& result) {
  std::string out;
  if (const json::value* file = json::find(result, "file"))
    out += installed_text({*file}) + json::string_or(*file, "path") + "\n";
  if (const json::value* entry = json::find(result, "catalogue")) {
    out += (out.empty() ? "" : "\n") + catalogue_text({*entry});
    if (const auto notes = json::find_string(*entry, "notes")) out += std::string(*notes) + "\n";
    if (json::find(result, "file") == nullptr) out += "not on this machine\n";
  }
  return out;
}

std::string render_added(const json::value& result) {
  const std::string name = json::string_or(result, "name");
  return installed_text({result}) + "tune on it: understudy tune TASK --base " + name + "\n";
}

std::string render_removed(const json::value& result) {
  return "removed " + json::string_or(result, "removed") + "\n";
}

std::string render_measured(const json::value& result) {
  if (json::find_string(result, "processor")) return render_machine(result) + "\n";
  return json::string_or(result, "name") + ": tokens per second: " + speed_text(result) + "\n";
}

}  // namespace

void add_models_verb(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* models = builder.add("models", help, [](const Home& home, const VerbOptions& o) {
    return show(console::list_models(home), o.as_json, render_models);
  });
  builder.add(*models, "list", "the same", [](const Home& home, const VerbOptions& o) {
    return show(console::list_models(home), o.as_json, render_models);
  });
  CLI::App* verb =
      builder.add(*models, "show", "one model: its file, and what is known of it",
                  [](const Home& home, const VerbOptions& o) {
                    return show(console::show_model(home, o.name), o.as_json, render_model);
                  });
  verb->add_option("NAME", builder.options->name, "as `understudy models` lists it")->required();
  verb = builder.add(
      *models, "add",
      "take in a GGUF file (by a hard link where that is possible) or a model directory",
      [](const Home& home, const VerbOptions& o) {
        return show(console::add_model(home, o.files.front(), o.name), o.as_json, render_added);
      });
  verb->add_option("FILE", builder.options->files, "of a model in parts: the first; or a directory")
      ->required()
      ->expected(1);
  verb->add_option("--name", builder.options->name, "default: the file's name");
  verb = builder.add(*models, "remove", "forget a model and delete its file here",
                     [](const Home& home, const VerbOptions& o) {
                       return show(console::remove_model(home, o.name), o.as_json, render_removed);
                     });
  verb->add_option("NAME", builder.options->name, "as `understudy models` lists it")->required();
  verb =
      builder.add(*models, "measure",
                  "how fast a model is here, by llama-bench; without a name, the machine itself",
                  [](const Home& home, const VerbOptions& o) {
                    return show(console::measure_model(home, o.name), o.as_json, render_measured);
                  });
  verb->add_option("NAME", builder.options->name, "as `understudy models` lists it");
}

}  // namespace understudy::apps
