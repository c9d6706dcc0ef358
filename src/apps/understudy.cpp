// `understudy`: hands over at once to the program that does the work, from its own folder.
// Two programs, because the trust differs: understudy-serve faces the agents and knows public keys
// only; understudy-control runs every other verb. And because the weight does: linked with what the
// control plane needs, a gateway would take 200 ms to start and 32 MiB before its first call.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
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

// The gateway's calls take and give back memory in step, dozens of blocks of one size at a time. By
// default glibc keeps 16 of a size for a thread, and none over 1 KiB; the rest goes through the
// arena, which costs each call some 4 us of 30. glibc reads this before main(), so it has to be set
// here. What the user says himself stands behind, and wins.
void keep_freed_memory_at_hand() {
  std::string tunables = "glibc.malloc.tcache_count=64:glibc.malloc.tcache_max=4096";
  if (const char* own = std::getenv("GLIBC_TUNABLES")) tunables.append(":").append(own);
  ::setenv("GLIBC_TUNABLES", tunables.c_str(), 1);
}

}  // namespace

int main(int argc, char** argv) {
  const bool serves = verb_of(argc, argv) == "serve";
  if (serves) keep_freed_memory_at_hand();
  const char* name = serves ? "understudy-serve" : "understudy-control";
  const std::string program = (understudy::program_directory() / name).string();
  ::execv(program.c_str(), argv);
  std::fprintf(stderr,
               "understudy: cannot run %s: %s\n  install all files of one version together\n",
               program.c_str(), std::strerror(errno));
  return understudy::exit_failure;
}
