#include "adapters/machine/compute_environment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace understudy::machine {
namespace {

// Sets a variable while a test runs.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Setting() { ::unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
};

std::vector<std::string> values_of(std::string_view name) {
  std::vector<std::string> values;
  for (const std::string& variable : compute_environment()) {
    if (variable.starts_with(std::string(name) + "=")) {
      values.push_back(variable.substr(name.size() + 1));
    }
  }
  return values;
}

TEST(ComputeEnvironment, HasTheAllocatorKeepItsPagesAndAllElseAsItWas) {
  const Setting other("UNDERSTUDY_TEST_OTHER", "kept");
  const auto tunables = values_of("GLIBC_TUNABLES");
  ASSERT_EQ(tunables.size(), 1U);
  EXPECT_NE(tunables[0].find("glibc.malloc.arena_max=1"), std::string::npos);
  EXPECT_EQ(values_of("UNDERSTUDY_TEST_OTHER"), std::vector<std::string>{"kept"});
}

TEST(ComputeEnvironment, WhatTheUserSetsWins) {
  const Setting hooks("UCX_MEM_EVENTS", "yes");
  const Setting own("GLIBC_TUNABLES", "glibc.malloc.arena_max=3");
  EXPECT_EQ(values_of("UCX_MEM_EVENTS"), std::vector<std::string>{"yes"});
  const auto tunables = values_of("GLIBC_TUNABLES");
  ASSERT_EQ(tunables.size(), 1U);
  EXPECT_TRUE(tunables[0].ends_with(":glibc.malloc.arena_max=3"));
}

TEST(ComputeEnvironment, IsTheSameOnceItIsSet) {
  const auto tunables = values_of("GLIBC_TUNABLES");
  const Setting again("GLIBC_TUNABLES", tunables.at(0).c_str());
  const Setting hooks("UCX_MEM_EVENTS", "no");
  EXPECT_EQ(values_of("GLIBC_TUNABLES"), tunables);
}

}  // namespace
}  // namespace understudy::machine
