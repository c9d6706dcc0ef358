// What a process that computes with tensors (libtorch) wants in its environment before its main():
// there it would be too late, as libraries start threads while they are loaded, and glibc reads its
// settings once.
#pragma once

#include <string>
#include <vector>

namespace understudy::machine {

// Ours with these variables, each as NAME=value, for such a child; what the user set himself wins.
std::vector<std::string> compute_environment();

// Starts this program again, with the same words, where these variables are missing; returns where
// they are there, or where the start fails (it is slower then, and nothing else). Call it before
// anything is read or written, from the only thread.
void restart_with_compute_environment(char** words);

// Such a process keeps what it frees at hand; this gives it to the system once it is needed no
// more.
void give_back_free_memory();

}  // namespace understudy::machine
