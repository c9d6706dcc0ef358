#include <array>
#include <format>

#include "apps/verb_facts.hpp"

namespace understudy::apps {

namespace {

// Verbs that have only verbs below them are a heading, no command.
std::string usage_of(const VerbFacts& verb) {
  std::string out = "understudy";
  if (!verb.path.empty()) out += " " + verb.path;
  if (!verb.verbs.empty()) return out + (verb.path == "tasks" ? " [VERB]" : " VERB");
  bool has_options = false;
  for (const OptionFacts& option : verb.options)
    has_options = has_options || (!option.is_positional && !option.is_required);
  if (has_options) out += " [OPTIONS]";
  for (const OptionFacts& option : verb.options) {
    const std::string& name = option.names.front();
    if (option.is_positional) {
      out += option.is_required ? " " + name : " [" + name + "]";
    } else if (option.is_required) {
      out += " " + name + " VALUE";
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// Of a cell in a Markdown table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char byte : text) {
    if (byte == '|') out += '\\';
    out += byte == '\n' ? ' ' : byte;
  }
  return out;
}

// "Examples:\n  line" as a block.
std::string example_block(const std::string& footer) {
  constexpr std::string_view head = "Examples:\n";
  if (!footer.starts_with(head)) return {};
  std::string out = "\n```\n";
  std::string_view rest = std::string_view(footer).substr(head.size());
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with("  ")) line.remove_prefix(2);
    out += std::string(line) + "\n";
  }
  return out + "```\n";
}

void append_page(const VerbFacts& verb, std::string& out) {
  if (!verb.path.empty()) {
    out += std::format("\n## {}\n\n{}\n\n    {}\n", verb.path, verb.help, usage_of(verb));
    out += example_block(verb.footer);
  }
  bool has_head = false;
  for (const OptionFacts& option : verb.options) {
    if (!has_head) out += "\n| option | what | without it |\n|---|---|---|\n";
    has_head = true;
    out += std::format("| `{}` | {} | {} |\n", joined(option.names), cell(option.help),
                       option.is_required    ? "must be given"
                       : !option.takes_value ? ""
                                             : cell(option.usual));
  }
  for (const VerbFacts& inner : verb.verbs) append_page(inner, out);
}

// Text for roff: a backslash, and a point or quote that begins a line, mean something there.
std::string roff(const std::string& text) {
  std::string out;
  bool at_begin = true;
  for (const char byte : text) {
    if (at_begin && (byte == '.' || byte == '\'')) out += "\\&";
    if (byte == '\\') {
      out += "\\e";
    } else if (byte == '-') {
      out += "\\-";
    } else {
      out += byte;
    }
    at_begin = byte == '\n';
  }
  return out;
}

void append_man(const VerbFacts& verb, std::string& out) {
  if (!verb.path.empty()) {
    out += std::format(".SS {}\n{}\n.PP\n.B {}\n", roff(verb.path), roff(verb.help),
                       roff(usage_of(verb)));
    if (!verb.footer.empty()) out += ".PP\n.nf\n" + roff(verb.footer) + "\n.fi\n";
  }
  for (const OptionFacts& option : verb.options) {
    const std::string value = option.takes_value && !option.is_positional ? " VALUE" : "";
    const std::string usual = option.usual.empty() ? "" : " (default: " + option.usual + ")";
    out += std::format(".TP\n.B {}\n{}\n", roff(joined(option.names) + value),
                       roff(option.help + usual));
  }
  for (const VerbFacts& inner : verb.verbs) append_man(inner, out);
}

}  // namespace

VerbFacts read_verbs(const CLI::App& app, const std::string& path) {
  VerbFacts facts;
  facts.path = path;
  facts.help = app.get_description();
  facts.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() == "--help" || option->check_lname("help")) continue;
    OptionFacts one;
    one.is_positional = option->get_positional();
    if (one.is_positional) {
      one.names = {option->get_name(true, false)};
    } else {
      for (const std::string& name : option->get_snames()) one.names.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) one.names.push_back("--" + name);
    }
    one.help = option->get_description();
    // Paths below somebody's home are no default of the program.
    one.usual = option->get_default_str().starts_with('/') ? "" : option->get_default_str();
    one.takes_value = option->get_items_expected_min() > 0;
    one.is_required = option->get_required();
    facts.options.push_back(std::move(one));
  }
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    VerbFacts inner = read_verbs(*verb, (path.empty() ? "" : path + " ") + verb->get_name());
    if (verb->get_name().empty()) {  // a group of options, no verb
      facts.options.insert(facts.options.end(), inner.options.begin(), inner.options.end());
    } else {
      facts.verbs.push_back(std::move(inner));
    }
  }
  return facts;
}

json::value to_json(const VerbFacts& verb) {
  json::array options;
  for (const OptionFacts& option : verb.options) {
    json::array names;
    for (const std::string& name : option.names) names.emplace_back(name);
    options.push_back(json::object{{"names", std::move(names)},
                                   {"help", option.help},
                                   {"default", option.usual},
                                   {"takes_value", option.takes_value},
                                   {"positional", option.is_positional},
                                   {"required", option.is_required}});
  }
  json::array verbs;
  for (const VerbFacts& inner : verb.verbs) verbs.push_back(to_json(inner));
  return json::object{{"verb", verb.path},
                      {"help", verb.help},
                      {"options", std::move(options)},
                      {"verbs", std::move(verbs)}};
}

std::string reference_page(const VerbFacts& root) {
  std::string out =
      "# The command line\n\nMade by `understudy reference cli`; a test compares. Every verb has "
      "`--help` and `--json`.\nWith `--json` the result, where there is one, stands on stdout, and "
      "what "
      "went wrong on stderr as\n`{\"error\": {\"code\", \"exit_code\", \"message\", "
      "\"hint\"}}`.\n\nOptions before the verb:\n";
  append_page(root, out);
  return out +
         "\n## Exit codes\n\n| code | meaning |\n|---|---|\n| 0 | ok |\n| 1 | failure |\n"
         "| 2 | wrong usage |\n| 3 | bad input |\n| 4 | denied, or the wrong key |\n"
         "| 5 | not found |\n| 6 | unavailable |\n| 7 | disk or a limit exhausted |\n"
         "| 8 | corrupt data |\n| 9 | conflict: it is there already, or taken |\n"
         "| 130 | interrupted |\n";
}

std::string man_page(const VerbFacts& root, const std::string& version) {
  std::string out = ".TH UNDERSTUDY 1 \"\" \"understudy " + version +
                    "\" \"User Commands\"\n.SH NAME\nunderstudy \\- small models take over LLM "
                    "calls that they have proven they can do\n.SH SYNOPSIS\n.B understudy\n"
                    "[OPTIONS] VERB [OPTIONS]\n.SH DESCRIPTION\n.nf\n" +
                    roff(root.help) + "\n.fi\n.SH OPTIONS AND VERBS\n";
  append_man(root, out);
  return out + ".SH EXIT STATUS\n.nf\n" + roff(root.footer) + "\n.fi\n";
}

}  // namespace understudy::apps
