#include "console/report_pdf.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

extern char** environ;

namespace understudy::console {

Result<std::filesystem::path> write_pdf(const std::filesystem::path& html) {
  const std::filesystem::path pdf = std::filesystem::path(html).replace_extension(".pdf");
  // It grows under another name: a half-written page never stands in place of a whole one.
  const std::filesystem::path partial = pdf.string() + ".partial";
  std::string program = "weasyprint";
  std::string quiet = "--quiet";
  std::string from = html.string();
  std::string to = partial.string();
  std::array<char*, 5> words = {program.data(), quiet.data(), from.data(), to.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, program.c_str(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return fail(
        ErrorCode::unsupported,
        "PDF is written by weasyprint, which cannot be run: " + std::string(std::strerror(failed)),
        "install it (Debian: weasyprint), or print " + html.string() + " from a browser");
  }
  int outcome = 0;
  while (::waitpid(child, &outcome, 0) < 0 && errno == EINTR) {
  }
  std::error_code error;
  if (!WIFEXITED(outcome) || WEXITSTATUS(outcome) != 0) {
    std::filesystem::remove(partial, error);
    return fail(ErrorCode::internal, "weasyprint could not write " + pdf.string(),
                "its message stands above");
  }
  std::filesystem::rename(partial, pdf, error);
  if (error) return fail(ErrorCode::unavailable, "cannot write " + pdf.string());
  return pdf;
}

}  // namespace understudy::console
