// What stands for each program in the portable archive, whose programs and libraries come from a
// newer Debian than the machine's: PROGRAM runs elf/PROGRAM through the archive's own dynamic
// loader and libraries (shared/), wherever the archive was unpacked. Linked statically, so that it
// needs nothing from the machine. tools/portable_tree.py puts the pieces in place.
#include <linux/limits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  std::array<char, PATH_MAX> file{};
  const ssize_t length = ::readlink("/proc/self/exe", file.data(), file.size() - 1);
  if (length <= 0) {
    std::fprintf(stderr, "%s: cannot tell where it lies: %s\n  /proc must be mounted\n", argv[0],
                 std::strerror(errno));
    return 127;
  }
  std::string self(file.data(), static_cast<std::size_t>(length));
  const std::string directory = self.substr(0, self.rfind('/'));
  std::string program = directory + "/elf" + self.substr(self.rfind('/'));
  std::string libraries = directory + "/shared";
  std::string loader = libraries + "/" UNDERSTUDY_LOADER;
  std::string inhibit_cache = "--inhibit-cache";
  std::string library_path = "--library-path";
  std::string name = "--argv0";
  // The program finds its own folder by argv[0] (base/installation.hpp): in full, links resolved.
  std::vector<char*> words{loader.data(),    inhibit_cache.data(), library_path.data(),
                           libraries.data(), name.data(),          self.data(),
                           program.data()};
  for (int i = 1; i < argc; ++i) words.push_back(argv[i]);
  words.push_back(nullptr);
  ::execv(loader.c_str(), words.data());
  std::fprintf(stderr, "%s: cannot run %s: %s\n  unpack the whole archive again\n", argv[0],
               loader.c_str(), std::strerror(errno));
  return 127;
}
