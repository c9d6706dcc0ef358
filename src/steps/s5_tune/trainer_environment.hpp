// What the trainer's process needs in its environment before its main(), where it would be too
// late: libraries start threads as they are loaded, and glibc reads its settings once.
#pragma once

#include <string>
#include <vector>

namespace understudy::s5 {

// Our environment with the trainer's variables, each as NAME=value; what the user set himself wins.
std::vector<std::string> trainer_environment();

// Starts this program again, with the same words, where these variables are missing; returns where
// they are there, or where the start fails (it is slower then, and nothing else). Call it before
// anything is read or written, from the only thread.
void restart_with_trainer_environment(char** words);

}  // namespace understudy::s5
