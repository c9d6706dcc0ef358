#include "base/run_program.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace understudy {
namespace {

using testing::EndsWith;

TEST(RunProgram, GivesWhatTheChildWroteAndHowItEnded) {
  const auto outcome =
      run_program({.words = {"sh", "-c", "echo out; echo err >&2; cat; exit 3"}}).value();
  EXPECT_EQ(outcome.output, "out\n");
  EXPECT_EQ(outcome.told, "err\n");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(run_program({.words = {"sh", "-c", "kill -9 $$"}}).value().signal, 9);
}

TEST(RunProgram, AMissingProgramIsNamed) {
  const auto outcome = run_program({.words = {"no-such-program-of-understudy"}});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, ErrorCode::not_found);
}

TEST(RunProgram, KeepsTheBeginningOfTheOutputAndTheEndOfTheErrors) {
  const auto outcome = run_program({.words = {"sh", "-c",
                                              "head -c 3000000 /dev/zero; head -c 9000 /dev/zero "
                                              ">&2; echo last >&2"}})
                           .value();
  EXPECT_EQ(outcome.output.size(), program_output_bytes_max);
  EXPECT_EQ(outcome.told.size(), program_told_bytes_max);
  EXPECT_THAT(outcome.told, EndsWith("last\n"));
}

TEST(RunProgram, EndsTheChildWhenItIsToldTo) {
  std::stop_source stop;
  stop.request_stop();
  const auto begun = std::chrono::steady_clock::now();
  const auto outcome = run_program({.words = {"sleep", "60"}, .stop = stop.get_token()});
  EXPECT_EQ(outcome.error().code, ErrorCode::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

}  // namespace
}  // namespace understudy
