// `understudy log`, `keys` and `audit`: what was recorded, who can read it, who did.
#include <unistd.h>

#include <iostream>
#include <string>

#include "adapters/crypto/keys.hpp"
#include "apps/render_log.hpp"
#include "apps/verb_builder.hpp"
#include "console/key_jobs.hpp"
#include "console/log_jobs.hpp"

namespace understudy::apps {

namespace {

Result<crypto::Role> role_of(const std::string& name) {
  if (const auto role = crypto::parse_role(name)) return *role;
  return fail(ErrorCode::invalid_input, "there is no role " + name,
              "roles are curator, trainer, auditor and admin");
}

// The result, and after it an error where it says "sound": false, for scripts.
Status show_finding(Result<json::value> result, bool as_json, Render render, const char* what) {
  const bool sound = result && json::find_bool(*result, "sound").value_or(false);
  TRY(show(std::move(result), as_json, render));
  if (sound) return {};
  return fail(ErrorCode::corrupt, std::string(what) + " does not pass its checks; see above");
}

Status erase(const Home& home, const VerbOptions& options) {
  const std::string tenant = TRY(console::find_tenant(home, options.name));
  if (!options.flag) {
    if (::isatty(STDIN_FILENO) == 0) {
      return fail(ErrorCode::invalid_input, "erasing a tenant wants a confirmation",
                  "in scripts, give --yes");
    }
    std::cerr << "This destroys the key of tenant " << tenant
              << ": its requests and responses can never be read again.\nType its name to go on: ";
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != tenant && answer != options.name) {
      return fail(ErrorCode::cancelled, "nothing was erased");
    }
  }
  return show(console::erase_tenant(home, tenant), options.as_json, render_erasure);
}

Status cat(const Home& home, const VerbOptions& options) {
  console::CatRequest request = options.cat;
  if (!options.since.empty()) request.since = TRY(console::parse_since(options.since));
  if (!request.tenant.empty()) request.tenant = TRY(console::find_tenant(home, request.tenant));
  request.form = options.flag ? console::CatForm::metadata : console::CatForm::content;
  return console::cat_log(home, request, [](std::string_view line) {
    print(line);
    print("\n");
  });
}

void add_log(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* log = app.add_subcommand(
      "log",
      "the encrypted call log\n\n"
      "Segments in HOME/log/*.sealed. The auditor's key opens metadata (who, when, how long, how\n"
      "many tokens), the curator's also requests and responses. Looking at content leaves a line "
      "in\n"
      "the audit trail (`understudy audit show`).");
  log->require_subcommand(1);
  builder.add(*log, "stat", "count the calls, check every segment (metadata only)",
              [](const Home& home, const auto& o) {
                return show(console::log_statistics(home), o.as_json, render_log_statistics);
              });

  CLI::App* verb = builder.add(
      *log, "verify",
      "check every byte of every segment, and the audit trail against them; exit code 8 where "
      "something was changed",
      [](const Home& home, const auto& o) {
        const auto depth = o.flag ? console::VerifyDepth::content : console::VerifyDepth::metadata;
        return show_finding(console::verify_log(home, depth), o.as_json, render_log_verification,
                            "the log");
      });
  verb->add_flag("--content", builder.options->flag,
                 "also open every request and response (the curator's key; audited)");

  verb = builder.add(*log, "cat",
                     "print recorded calls as JSON lines, tool calls joined with their results "
                     "(the curator's key; audited)",
                     cat);
  verb->add_option("--call", builder.options->cat.call, "only the call with this id");
  verb->add_option("--session", builder.options->cat.session, "only calls of this session");
  verb->add_option("--tenant", builder.options->cat.tenant,
                   "only calls of this tenant (its name, or its pseudonym)");
  verb->add_option("--since", builder.options->since,
                   "only calls that started then or later: 2026-11-24, 2026-11-24T08:00:00Z, or an "
                   "age: 15m, 2h, 7d");
  verb->add_option("--limit", builder.options->cat.limit, "at most so many calls");
  verb->add_flag("--metadata", builder.options->flag,
                 "without requests and responses (the auditor's key)");

  builder.add(*log, "keys", "which keys the segments are sealed to, and which of them are here",
              [](const Home& home, const auto& o) {
                return show(console::log_keys(home), o.as_json, render_log_keys);
              });

  verb =
      builder.add(*log, "erase",
                  "make a tenant's requests and responses unreadable for ever, by destroying its "
                  "key; metadata stays",
                  erase);
  verb->add_option("TENANT", builder.options->name, "its name, or its pseudonym (`log keys`)")
      ->required();
  verb->add_flag("--yes", builder.options->flag, "do not ask");
}

void add_keys(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* keys = app.add_subcommand(
      "keys",
      "the key pairs of the roles\n\n"
      "curator: reads the call log and the data sets. trainer: reads data sets. auditor: reads "
      "the\n"
      "log's metadata. admin: signs policies. The gateway needs *.pub and pseudonym.key only.");
  keys->require_subcommand(1);
  builder.add(*keys, "init", "make the keys of this home (never overwrites)",
              [](const Home& home, const auto& o) {
                return show(console::init_keys(home), o.as_json, render_new_keys);
              });
  builder.add(*keys, "list", "which keys are here, and their fingerprints",
              [](const Home& home, const auto& o) {
                return show(console::list_keys(home), o.as_json, render_keys);
              });
  CLI::App* verb = builder.add(
      *keys, "rotate",
      "make a new pair for a role; what was sealed before still opens. A running gateway takes the "
      "new one within seconds",
      [](const Home& home, const VerbOptions& o) -> Status {
        return show(console::rotate_keys(home, TRY(role_of(o.name))), o.as_json, render_rotation);
      });
  verb->add_option("ROLE", builder.options->name, "curator, trainer or auditor")->required();
  verb = builder.add(
      *keys, "protect",
      "encrypt a role's key file with a passphrase (Argon2id). It is asked for, or taken from "
      "$UNDERSTUDY_NEW_PASSPHRASE_ROLE;\nlater verbs ask for it, or take "
      "$UNDERSTUDY_PASSPHRASE_ROLE (ROLE in capitals)",
      [](const Home& home, const VerbOptions& o) -> Status {
        const auto protection =
            o.flag ? console::Protection::none : console::Protection::passphrase;
        return show(console::protect_key(home, TRY(role_of(o.name)), protection), o.as_json,
                    render_protection);
      });
  verb->add_option("ROLE", builder.options->name, "curator, trainer, auditor or admin")->required();
  verb->add_flag("--remove", builder.options->flag, "store it without a passphrase again");
}

void add_audit(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* audit = app.add_subcommand(
      "audit", "who read content or changed keys: HOME/audit/trail.jsonl, hash-chained");
  audit->require_subcommand(1);
  CLI::App* verb =
      builder.add(*audit, "show", "the newest entries", [](const Home& home, const auto& o) {
        return show(console::show_audit(home, o.examples), o.as_json, render_audit);
      });
  builder.options->examples = 50;
  verb->add_option("--limit", builder.options->examples, "how many; 0: all")->capture_default_str();
  verb = builder.add(
      *audit, "verify",
      "is every line there, unchanged and in its place; exit code 8 where not. The log's segments "
      "say where the trail stood when they were begun (the auditor's key)",
      [](const Home& home, const auto& o) {
        return show_finding(console::verify_audit(home, o.name), o.as_json,
                            render_audit_verification, "the audit trail");
      });
  verb->add_option("--head", builder.options->name,
                   "a head that was noted earlier: shows whether lines were cut off since");
}

}  // namespace

void add_log_verbs(CLI::App& app, Action& action) {
  add_keys(app, action);
  add_log(app, action);
  add_audit(app, action);
}

}  // namespace understudy::apps
