#include <format>
#include <functional>

#include "apps/verb_facts.hpp"

namespace understudy::apps {

namespace {

using Visit = std::function<void(const VerbFacts&)>;

void each(const VerbFacts& verb, const Visit& visit) {
  visit(verb);
  for (const VerbFacts& inner : verb.verbs) each(inner, visit);
}

std::string last_word(const std::string& path) { return path.substr(path.rfind(' ') + 1); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Inside single quotes of a shell.
std::string shell_text(const std::string& text) {
  std::string out;
  for (const char byte : text) out += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return "'" + out + "'";
}

std::string words_of(const VerbFacts& verb) {
  std::string out;
  for (const VerbFacts& inner : verb.verbs) out += last_word(inner.path) + " ";
  for (const OptionFacts& option : verb.options) {
    if (option.is_positional) continue;
    for (const std::string& name : option.names)
      if (name.starts_with("--")) out += name + " ";
  }
  return out + "--help";
}

// The verbs that the words before the cursor name, one after the other. ($path would be zsh's own.)
std::string walk_of(const VerbFacts& root, std::string_view word) {
  std::string cases;
  each(root, [&](const VerbFacts& verb) {
    if (!verb.path.empty()) cases += (cases.empty() ? "" : "|") + shell_text(" " + verb.path);
  });
  return std::format("    case \"$verb {}\" in {}) verb=\"$verb {}\" ;; esac\n", word, cases, word);
}

std::string bash(const VerbFacts& root) {
  std::string cases;
  each(root, [&](const VerbFacts& verb) {
    const std::string path = verb.path.empty() ? "" : " " + verb.path;
    cases += "    " + shell_text(path) + ") words=" + shell_text(words_of(verb)) + " ;;\n";
  });
  return "# bash completion of understudy: source <(understudy completion bash)\n"
         "_understudy() {\n"
         "  local verb='' words='' word i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n" +
         walk_of(root, "$word") +
         "  done\n"
         "  case \"$verb\" in\n" +
         cases +
         "  esac\n"
         "  local current=${COMP_WORDS[COMP_CWORD]}\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
         "}\n"
         "complete -o filenames -F _understudy understudy\n";
}

std::string zsh(const VerbFacts& root) {
  std::string cases;
  each(root, [&](const VerbFacts& verb) {
    const std::string path = verb.path.empty() ? "" : " " + verb.path;
    cases += "    (" + shell_text(path) + ") words_here=(";
    const auto add = [&](std::string name, const std::string& help) {
      for (std::size_t at = 0; (at = name.find(':', at)) != name.npos; at += 2)
        name.insert(at, "\\");
      cases += "\n      " + shell_text(name + ":" + first_line(help));
    };
    for (const VerbFacts& inner : verb.verbs) add(last_word(inner.path), inner.help);
    for (const OptionFacts& option : verb.options) {
      if (option.is_positional) continue;
      for (const std::string& name : option.names)
        if (name.starts_with("--")) add(name, option.help);
    }
    cases += ") ;;\n";
  });
  return "#compdef understudy\n"
         "# zsh completion of understudy: save it as _understudy in a folder of $fpath\n"
         "_understudy() {\n"
         "  local verb='' word\n"
         "  local -a words_here\n"
         "  for word in ${words[2,CURRENT-1]}; do\n" +
         walk_of(root, "$word") +
         "  done\n"
         "  case \"$verb\" in\n" +
         cases +
         "  esac\n"
         "  _describe 'understudy' words_here || _files\n"
         "}\n"
         "compdef _understudy understudy\n";
}

std::string fish(const VerbFacts& root) {
  std::string out =
      "# fish completion of understudy: save it in ~/.config/fish/completions/understudy.fish\n"
      "function __understudy_at\n"
      "  set -l path ''\n"
      "  for word in (commandline -opc)[2..]\n"
      "    switch \"$path $word\"\n"
      "      case";
  each(root, [&](const VerbFacts& verb) {
    if (!verb.path.empty()) out += " " + shell_text(" " + verb.path);
  });
  out +=
      "\n        set path \"$path $word\"\n    end\n  end\n  test \"$path\" = \"$argv[1]\"\nend\n";
  each(root, [&](const VerbFacts& verb) {
    const std::string path = verb.path.empty() ? "" : " " + verb.path;
    const std::string when =
        "complete -c understudy -n " + shell_text("__understudy_at " + shell_text(path)) + " ";
    for (const VerbFacts& inner : verb.verbs)
      out += when + "-f -a " + last_word(inner.path) + " -d " + shell_text(first_line(inner.help)) +
             "\n";
    for (const OptionFacts& option : verb.options) {
      if (option.is_positional) continue;
      for (const std::string& name : option.names) {
        if (name.starts_with("--"))
          out += when + "-l " + name.substr(2) + (option.takes_value ? " -r" : "") + " -d " +
                 shell_text(first_line(option.help)) + "\n";
      }
    }
  });
  return out;
}

}  // namespace

std::string completion_script(const VerbFacts& root, const std::string& shell) {
  if (shell == "zsh") return zsh(root);
  if (shell == "fish") return fish(root);
  return bash(root);
}

}  // namespace understudy::apps
