#include <CLI/CLI.hpp>
#include <memory>

#include "apps/fields.hpp"
#include "apps/show.hpp"
#include "apps/table.hpp"
#include "apps/verbs.hpp"
#include "base/figures.hpp"
#include "console/access_jobs.hpp"

namespace understudy::apps {

namespace {

using store::Home;

std::string dollars(double usd) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, usd != 0 && usd < 0.1 ? "$%.4f" : "$%.2f", usd);
  return buffer;
}

std::string render_secret(const json::value& result) {
  const bool is_token = json::find_string(result, "role").has_value();
  return text(result, "secret") + "\n" + (is_token ? "token " : "key ") + text(result, "name") +
         ": this is shown once; keep it safe. A running gateway takes it within a second.\n";
}

std::string render_revoked(const json::value& result) {
  return text(result, "revoked") + " is revoked; a running gateway refuses it within a second\n";
}

std::string limits_of(const json::value& key) {
  std::string out;
  const auto add = [&out](const std::string& limit) { out += (out.empty() ? "" : ", ") + limit; };
  if (const auto rate = json::find_integer(key, "requests_per_minute"))
    add(thousands(*rate) + " requests/min");
  if (const auto rate = json::find_integer(key, "tokens_per_minute"))
    add(thousands(*rate) + " tokens/min");
  if (const auto usd = json::find_number(key, "usd_per_day")) add(dollars(*usd) + "/day");
  if (const auto usd = json::find_number(key, "usd_per_month")) add(dollars(*usd) + "/month");
  if (const auto usd = json::find_number(key, "budget_usd")) add(dollars(*usd) + " in all");
  if (const json::array* models = json::find_array(key, "models")) {
    std::string names;
    for (const json::value& model : *models) {
      if (model.is_string()) names += (names.empty() ? "" : " ") + std::string(model.get_string());
    }
    add("models " + names);
  }
  return out.empty() ? "none" : out;
}

std::string state_of(const json::value& entry) {
  if (const std::string at = text(entry, "revoked_at"); !at.empty())
    return "revoked " + at.substr(0, 10);
  if (const std::string at = text(entry, "expires_at"); !at.empty())
    return "until " + at.substr(0, 10);
  return "in force";
}

std::string render_list(const json::value& result) {
  Table keys({{.title = "key"},
              {.title = "ends in"},
              {.title = "tenant"},
              {.title = "state"},
              {.title = "requests", .align = Align::right},
              {.title = "tokens", .align = Align::right},
              {.title = "spent", .align = Align::right},
              {.title = "limits", .align = Align::left, .width_max = 90}});
  if (const json::array* list = json::find_array(result, "keys")) {
    for (const json::value& key : *list) {
      const json::value none = json::object{};
      const json::value* found = json::find(key, "spent");
      const json::value& spent = found != nullptr ? *found : none;
      keys.add({text(key, "name"), text(key, "hint"), text(key, "tenant"), state_of(key),
                thousands(json::find_integer(spent, "requests").value_or(0)),
                thousands(json::find_integer(spent, "tokens").value_or(0)),
                dollars(json::find_number(spent, "usd").value_or(0)), limits_of(key)});
    }
  }
  Table tokens({{.title = "token"}, {.title = "ends in"}, {.title = "role"}, {.title = "state"}});
  if (const json::array* list = json::find_array(result, "tokens")) {
    for (const json::value& token : *list)
      tokens.add({text(token, "name"), text(token, "hint"), text(token, "role"), state_of(token)});
  }
  return keys.to_text() + "\n" + tokens.to_text();
}

// The options of all verbs of `access`; each action reads its own.
struct AccessOptions {
  bool as_json = false;
  std::string name;
  console::KeyRequest key;
  console::TokenRequest token;
};

using Run = std::function<Status(const Home&, const AccessOptions&)>;

class AccessVerbs {
 public:
  AccessVerbs(CLI::App& parent, Action& action) : parent_(parent), action_(action) {}

  CLI::App* add(const char* name, const char* help, Run run) {
    options = std::make_shared<AccessOptions>();  // shared with the action, which outlives this
    CLI::App* verb = parent_.add_subcommand(name, help);
    verb->add_flag("--json", options->as_json, "print the result as JSON");
    verb->callback([&action = action_, kept = options, run = std::move(run)] {
      action = [kept, run](const Home& home) { return run(home, *kept); };
    });
    return verb;
  }

  std::shared_ptr<AccessOptions> options;

 private:
  CLI::App& parent_;
  Action& action_;
};

void add_limits(CLI::App& verb, KeyLimits& limits) {
  verb.add_option("--models", limits.models,
                  "models that it may ask for, '*' in names stands for anything (default: all)")
      ->delimiter(',');
  verb.add_option("--rpm", limits.requests_per_minute, "requests per minute")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--tpm", limits.tokens_per_minute, "tokens per minute, prompts and answers")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--usd-per-day", limits.usd_per_day, "dollars per day (UTC)")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--usd-per-month", limits.usd_per_month, "dollars per month (UTC)")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--budget-usd", limits.budget_usd, "dollars in all")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_access_verbs(CLI::App& app, Action& action) {
  CLI::App* access = app.add_subcommand("access", "who may call the gateway: keys, limits, tokens");
  access->require_subcommand(1);
  AccessVerbs verbs(*access, action);

  CLI::App* verb = verbs.add("add", "issue a virtual key; its secret is shown once",
                             [](const Home& home, const auto& o) {
                               return show(console::add_key(home, o.key), o.as_json, render_secret);
                             });
  console::KeyRequest& key = verbs.options->key;
  verb->add_option("--name", key.name, "names the key in logs, metrics and lists")->required();
  verb->add_option("--tenant", key.tenant, "whose calls these are");
  add_limits(*verb, key.limits);
  verb->add_option("--expires", key.expires, "2027-01-31, or a time with zone (default: never)");
  verb->add_flag("--human-facing", key.human_facing,
                 "its calls are by people: recorded as such, never converted");

  verbs.add("list", "the keys with their limits and what they spent",
            [](const Home& home, const auto& o) {
              return show(console::list_access(home), o.as_json, render_list);
            });
  verb = verbs.add("revoke", "end a key or a token", [](const Home& home, const auto& o) {
    return show(console::revoke_access(home, o.name), o.as_json, render_revoked);
  });
  verb->add_option("NAME", verbs.options->name, "of the key or token")->required();
  verb = verbs.add("rotate", "give a key a new secret; the old one ends",
                   [](const Home& home, const auto& o) {
                     return show(console::rotate_key(home, o.name), o.as_json, render_secret);
                   });
  verb->add_option("NAME", verbs.options->name, "of the key")->required();
  verb = verbs.add("token", "issue a token for the admin API; it is shown once",
                   [](const Home& home, const auto& o) {
                     return show(console::add_token(home, o.token), o.as_json, render_secret);
                   });
  console::TokenRequest& token = verbs.options->token;
  verb->add_option("--role", token.role, "auditor (reads metrics and counters), admin, or curator")
      ->required();
  verb->add_option("--name", token.name, "names the token (default: its role)");
  verb->add_option("--expires", token.expires, "2027-01-31, or a time with zone (default: never)");
}

}  // namespace understudy::apps
