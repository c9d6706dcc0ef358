// Lets long work end in order where the user asks for it by Ctrl-C or SIGTERM: as long as one of
// these exists, the work looks at asked() between its steps. A second Ctrl-C ends the program at
// once. What the program ignores (nohup) or handles otherwise stays as it is. One at a time, of the
// thread that made it.
#pragma once

#include <csignal>
#include <utility>
#include <vector>

namespace understudy {

class StopRequest {
 public:
  StopRequest();
  ~StopRequest();  // signals do again what they did before
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  // Since one was made, which may be gone.
  [[nodiscard]] static bool asked() { return signal() != 0; }
  [[nodiscard]] static int signal();  // the last that came; 0: none

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace understudy
