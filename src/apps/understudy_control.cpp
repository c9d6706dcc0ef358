// understudy-control: every verb of `understudy` but `serve`. It unlocks the keys of the roles.
#include "adapters/terminal/progress_bar.hpp"
#include "apps/command_line.hpp"
#include "apps/verbs.hpp"

int main(int argc, char** argv) {
  understudy::terminal::show_progress_as_bar();
  return understudy::apps::run_command_line(argc, argv, understudy::apps::add_verbs);
}
