// Where the files of this installation lie: other programs of ours, and data. Everything is found
// from the running program's own file, so that a build folder, a package (/usr/lib/understudy) and
// an unpacked archive work alike, wherever they stand. Never from the environment or the current
// directory. Thread-safe.
#pragma once

#include <filesystem>
#include <string_view>

namespace understudy {

// The running program's file, which execv() starts again. In the portable archive programs are run
// through the archive's own dynamic loader: there it is the launcher (apps/portable_launcher.cpp),
// which stands in argv[0].
std::filesystem::path running_program();

// Where that file lies.
std::filesystem::path program_directory();

// A program beside this one if there is such a file; else its bare name, for a search along $PATH.
std::filesystem::path find_program(std::string_view name);

// Data that is installed with the programs, such as "examples/demo.py": below share/understudy of
// the installation or the build folder. Whether the file exists is the caller's to see.
std::filesystem::path installed_data(std::string_view path);

}  // namespace understudy
