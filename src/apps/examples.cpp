#include "apps/examples.hpp"

#include <array>
#include <string>
#include <string_view>

namespace understudy::apps {

namespace {

struct Example {
  std::string_view verb;
  std::string_view lines;
};

constexpr std::array examples = {
    Example{"demo", "understudy demo --quick\nunderstudy demo --directory /tmp/tour"},
    Example{"init",
            "understudy init\n"
            "understudy init --upstream https://api.example.com/v1 --key-env LLM_API_KEY"},
    Example{"up", "understudy up\nunderstudy up --upstream https://api.example.com/v1"},
    Example{"serve",
            "understudy serve --upstream https://api.example.com/v1\n"
            "understudy serve --validate                 is understudy.toml in order?"},
    Example{"console", "understudy console\nunderstudy console --listen 127.0.0.1:9000"},
    Example{"doctor", "understudy doctor\nunderstudy doctor --offline --json"},
    Example{"status", "understudy status\nunderstudy status --json\nunderstudy status --watch"},
    Example{"import", "understudy import calls.jsonl more.jsonl.gz"},
    Example{"access",
            "understudy access add --name agents --rpm 600 --usd-per-day 5\n"
            "understudy access list"},
    Example{"access add",
            "understudy access add --name agents --rpm 600 --usd-per-day 5\n"
            "understudy access add --name ci --models 'gpt-4o*' --expires 2027-01-31"},
    Example{"access list", "understudy access list --json"},
    Example{"access revoke", "understudy access revoke agents"},
    Example{"access rotate", "understudy access rotate agents"},
    Example{"access token", "understudy access token --role auditor --name grafana"},
    Example{"curate", "understudy curate\nunderstudy curate --output curate.html"},
    Example{"cluster", "understudy cluster\nunderstudy cluster --new-calls"},
    Example{"tasks", "understudy tasks\nunderstudy tasks show t-0f3a"},
    Example{"tasks show", "understudy tasks show t-0f3a --examples 5"},
    Example{"export", "understudy export dataset --output train.jsonl --split train"},
    Example{"export dataset",
            "understudy export dataset --split train > train.jsonl\n"
            "understudy export dataset --format parquet --output examples.parquet"},
    Example{"export assignments", "understudy export assignments --output assignments.jsonl"},
    Example{"scan", "understudy scan texts.jsonl --counts"},
    Example{"models", "understudy models\nunderstudy models add base.gguf"},
    Example{"models list", "understudy models list --json"},
    Example{"models show", "understudy models show Qwen3-0.6B"},
    Example{"models add", "understudy models add base.gguf --name base"},
    Example{"models remove", "understudy models remove base"},
    Example{"models measure", "understudy models measure\nunderstudy models measure base"},
    Example{"select",
            "understudy select t-0f3a\nunderstudy select t-0f3a --bake-off --max-minutes 5"},
    Example{"tune",
            "understudy tune t-0f3a --candidate classifier\n"
            "understudy tune t-0f3a --candidate nano --max-minutes 5\n"
            "understudy tune t-0f3a --base models/base.gguf"},
    Example{
        "evaluate",
        "understudy evaluate t-0f3a\n"
        "understudy evaluate t-0f3a --alpha 0.02 --delta 0.05\n"
        "understudy evaluate t-0f3a --cheaper https://api.example.com/v1 --cheaper-model small\n"
        "understudy evaluate t-0f3a --pool-with t-77b1 t-9c02"},
    Example{"promote",
            "understudy promote t-0f3a\n"
            "understudy promote t-0f3a --mode canary --canary 10"},
    Example{"route", "understudy route"},
    Example{"route off", "understudy route off t-0f3a\nunderstudy route off --all"},
    Example{"route on", "understudy route on t-0f3a"},
    Example{"refine", "understudy refine"},
    Example{"replay", "understudy replay"},
    Example{"rollback", "understudy rollback t-0f3a"},
    Example{"policy", "understudy policy --json"},
    Example{"report", "understudy report\nunderstudy report --output report.html --pdf"},
    Example{"log", "understudy log stat\nunderstudy log cat --since 2h --metadata"},
    Example{"log stat", "understudy log stat --json"},
    Example{"log verify", "understudy log verify\nunderstudy log verify --content"},
    Example{"log cat",
            "understudy log cat --session run-1\nunderstudy log cat --since 15m --limit 5"},
    Example{"log keys", "understudy log keys"},
    Example{"log erase", "understudy log erase acme"},
    Example{"keys", "understudy keys list"},
    Example{"keys init", "understudy keys init"},
    Example{"keys list", "understudy keys list"},
    Example{"keys rotate", "understudy keys rotate auditor"},
    Example{"keys protect", "understudy keys protect curator"},
    Example{"audit", "understudy audit show\nunderstudy audit verify"},
    Example{"audit show", "understudy audit show --json"},
    Example{"audit verify", "understudy audit verify"},
    Example{"completion",
            "source <(understudy completion bash)\n"
            "understudy completion zsh > ~/.zfunc/_understudy\n"
            "understudy completion fish > ~/.config/fish/completions/understudy.fish"},
    Example{"reference", "understudy reference man | man -l -\nunderstudy reference cli"},
};

void add_below(CLI::App& app, const std::string& path) {
  for (CLI::App* verb : app.get_subcommands([](CLI::App*) { return true; })) {
    const std::string name = path.empty() ? verb->get_name() : path + " " + verb->get_name();
    for (const Example& example : examples) {
      if (example.verb != name) continue;
      std::string text = "Examples:";
      std::string_view rest = example.lines;
      while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        text += "\n  " + std::string(line);
      }
      verb->footer(text);
    }
    add_below(*verb, name);
  }
}

}  // namespace

void add_examples(CLI::App& app) { add_below(app, ""); }

}  // namespace understudy::apps
