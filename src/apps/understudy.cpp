// `understudy`: hands over at once to the program that does the work, from its own folder.
// Two programs, because the trust differs: understudy-serve faces the agents and knows public keys
// only; understudy-control runs every other verb. And because the weight does: linked with what the
// control plane needs, a gateway would take 200 ms to start and 32 MiB before its first call.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "base/exit_code.hpp"
#include "base/installation.hpp"

namespace {

// The first word that is no option. --home and --config take the word behind them.
std::string_view verb_of(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--home" || word == "--config") {
      ++i;
    } else if (!word.starts_with('-')) {
      return word;
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const char* name = verb_of(argc, argv) == "serve" ? "understudy-serve" : "understudy-control";
  const std::string program = (understudy::program_directory() / name).string();
  ::execv(program.c_str(), argv);
  std::fprintf(stderr,
               "understudy: cannot run %s: %s\n  install all files of one version together\n",
               program.c_str(), std::strerror(errno));
  return understudy::exit_failure;
}
