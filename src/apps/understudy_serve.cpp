// understudy-serve: the data plane's own program, `understudy serve`. It faces the agents, knows
// public keys only, and links no more than it needs.
#include "apps/command_line.hpp"
#include "apps/serve_verb.hpp"

int main(int argc, char** argv) {
  return understudy::apps::run_command_line(argc, argv, understudy::apps::add_serve);
}
