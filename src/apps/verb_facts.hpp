// The command line as data, read from the parser itself: what completions, the man page and the
// reference are made from, so that none of them can say something else than --help. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace understudy::apps {

struct OptionFacts {
  std::vector<std::string> names;  // "--json"; a positional's one name: "TASK"
  std::string help;
  std::string usual;  // what it is without being given; may be empty
  bool takes_value = false;
  bool is_positional = false;
  bool is_required = false;
};

struct VerbFacts {
  std::string path;  // "access add"; empty: the program itself
  std::string help;
  std::string footer;
  std::vector<OptionFacts> options;
  std::vector<VerbFacts> verbs;
};

// `path`: of the verb that `app` is; empty for the program itself.
VerbFacts read_verbs(const CLI::App& app, const std::string& path = {});

// {"verb", "help", "options": [...], "verbs": [...]}
json::value to_json(const VerbFacts& verb);

// completion.cpp; `shell`: bash, zsh or fish.
std::string completion_script(const VerbFacts& root, const std::string& shell);

// reference.cpp
std::string reference_page(const VerbFacts& root);                        // Markdown
std::string man_page(const VerbFacts& root, const std::string& version);  // roff, section 1

}  // namespace understudy::apps
