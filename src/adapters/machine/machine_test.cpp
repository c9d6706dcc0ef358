#include "adapters/machine/machine.hpp"

#include <gtest/gtest.h>

namespace understudy::machine {
namespace {

TEST(Machine, ReadsMeminfo) {
  const auto machine =
      parse_meminfo("MemTotal:       16315988 kB\nMemFree: 1 kB\nMemAvailable:   8000 kB\n");
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->memory_bytes, 16315988LL * 1024);
  EXPECT_EQ(machine->memory_available_bytes, 8000 * 1024);
  EXPECT_FALSE(parse_meminfo("MemTotal: many kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 6666666666666666666 kB\nMemAvailable: 1 kB\n"));
}

TEST(Machine, ReadsTheProcessorsName) {
  EXPECT_EQ(parse_processor("processor\t: 0\nmodel name\t: AMD EPYC 9R14\nflags : x\n"),
            "AMD EPYC 9R14");
  EXPECT_EQ(parse_processor("Processor: ARMv8\n"), "");
  EXPECT_EQ(parse_processor("model name"), "");
}

TEST(Machine, ThisOneCanBeRead) {
  const auto machine = read_machine();
  ASSERT_TRUE(machine);
  EXPECT_GT(machine->memory_bytes, machine->memory_available_bytes);
  EXPECT_GE(machine->cores, 1U);
}

}  // namespace
}  // namespace understudy::machine
