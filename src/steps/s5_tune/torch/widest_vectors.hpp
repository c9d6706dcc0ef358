// For functions whose loops are to run on the widest vectors that a machine has.
#pragma once

// One build for every x86-64 machine: the loader picks the widest vectors that the machine has.
#if defined(__x86_64__) && !defined(__clang__)
#define WIDEST_VECTORS [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define WIDEST_VECTORS
#endif
