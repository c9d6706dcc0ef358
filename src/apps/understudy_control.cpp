// understudy-control: every verb of `understudy` but `serve`. It unlocks the keys of the roles.
#include "apps/command_line.hpp"
#include "apps/verbs.hpp"

int main(int argc, char** argv) {
  return understudy::apps::run_command_line(argc, argv, understudy::apps::add_verbs);
}
