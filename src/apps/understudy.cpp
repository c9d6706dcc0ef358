// The one program that users type. main() reads the command line, runs the chosen verb, and turns
// an Error into a message on stderr and an exit code.
#include <cstdio>
#include <cstdlib>

#include "apps/command_line.hpp"
#include "apps/exit_code.hpp"

int main(int argc, char** argv) {
  using namespace understudy::apps;
  CommandLine command_line;
  if (const auto exit_code = command_line.parse(argc, argv)) return *exit_code;
  const understudy::Status status = command_line.run();
  if (status) return exit_ok;
  std::fprintf(stderr, "understudy: %s\n", status.error().to_text().c_str());
  return exit_code_of(status.error().code);
}
