#include "adapters/store/watch_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/file_lock.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

class WatchStoreTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(home_.directory()); }
  static RoutingPolicy decided_at(std::int64_t at) {
    RoutingPolicy policy;
    policy.tasks.resize(1);
    policy.tasks[0].task = {"t-1"};
    policy.tasks[0].mode = RouteMode::active;
    policy.tasks[0].decided_at = {at};
    return policy;
  }
  static Veto veto(std::int64_t at, RouteMode mode = RouteMode::off) {
    return {.task = {"t-1"}, .mode = mode, .at = {at}, .reason = "because"};
  }

  Home home_ = *Home::open(std::filesystem::temp_directory_path() /
                           ("watch_test." + std::to_string(::getpid())));
};

TEST_F(WatchStoreTest, VetoesLastUntilAPolicyLiftsThem) {
  EXPECT_TRUE(load_vetoes(home_)->empty());
  ASSERT_TRUE(add_veto(home_, decided_at(5), veto(10)));
  ASSERT_TRUE(add_veto(home_, decided_at(5), veto(11, RouteMode::shadow)));
  ASSERT_TRUE(add_veto(home_, decided_at(5), veto(12)));
  EXPECT_EQ(load_vetoes(home_)->size(), 2);  // one of each mode, the newest
  EXPECT_EQ(effective_mode(decided_at(5).tasks[0], decided_at(5), veto(12)), RouteMode::off);
  EXPECT_EQ(effective_mode(decided_at(13).tasks[0], decided_at(13), veto(12)), RouteMode::active);
  ASSERT_TRUE(add_veto(home_, decided_at(13), {.task = {}, .mode = RouteMode::off, .at = {14}}));
  ASSERT_EQ(load_vetoes(home_)->size(), 1);
  EXPECT_TRUE(load_vetoes(home_)->front().task.empty());
}

TEST_F(WatchStoreTest, TheModeInForceIsTheLowestAndNamesTheVetoThatMadeItSo) {
  const RoutingPolicy policy = decided_at(5);
  EXPECT_EQ(mode_in_force(policy.tasks[0], policy, {}).veto, nullptr);
  const std::vector<Veto> vetoes = {veto(4), veto(6, RouteMode::shadow), veto(7), veto(8)};
  const ModeInForce in_force = mode_in_force(policy.tasks[0], policy, vetoes);
  EXPECT_EQ(in_force.mode, RouteMode::off);
  EXPECT_EQ(in_force.veto, &vetoes[2]);  // not the lifted one, not one that changed nothing
}

TEST_F(WatchStoreTest, AVetoNeverRaisesAMode) {
  RoutingPolicy policy = decided_at(1);
  policy.tasks[0].mode = RouteMode::off;
  EXPECT_EQ(effective_mode(policy.tasks[0], policy, veto(2, RouteMode::shadow)), RouteMode::off);
  EXPECT_FALSE(parse_vetoes(R"({"vetoes":[{"task":"t-1","mode":"active","at":1}]})"));
}

TEST_F(WatchStoreTest, VetoesThatCannotBeReadAreAnError) {
  std::filesystem::create_directory(watch_directory(home_));
  ASSERT_TRUE(write_file_atomically(watch_directory(home_) / "vetoes.json", "{"));
  const auto vetoes = load_vetoes(home_);
  ASSERT_FALSE(vetoes);
  EXPECT_EQ(vetoes.error().code, ErrorCode::corrupt);
  EXPECT_NE(vetoes.error().message.find("vetoes.json"), std::string::npos);
}

TEST_F(WatchStoreTest, WatchesAndDemotionsComeBackAsTheyWere) {
  TaskWatch watch{.task = {"t-1"}, .artifact = {"a"}, .decided_at = {3}};
  watch.matched = 7;
  watch.audit = {.calls = 5, .kept = 5, .agreed = 4};
  watch.drift = "less";
  ASSERT_TRUE(save_watches(home_, {watch}));
  ASSERT_EQ(load_watches(home_).size(), 1);
  EXPECT_EQ(to_json(load_watches(home_)[0]), to_json(watch));
  ASSERT_TRUE(write_file_atomically(watch_directory(home_) / "tasks.json", "nonsense"));
  EXPECT_TRUE(load_watches(home_).empty());

  Demotion demotion{.at = {9}, .task = {"t-1"}, .name = "n", .artifact = {"a"}};
  demotion.reason = "it differs";
  ASSERT_TRUE(add_demotion(home_, demotion));
  std::ofstream(watch_directory(home_) / "demotions.jsonl", std::ios::app)
      << R"({"at":1,"tas)";  // cut
  demotion.at = {10};
  ASSERT_TRUE(add_demotion(home_, demotion));
  ASSERT_EQ(load_demotions(home_).size(), 2);
  EXPECT_EQ(to_json(load_demotions(home_)[1]), to_json(demotion));
}

TEST_F(WatchStoreTest, ALockIsHeldByOneAtATime) {
  const auto path = home_.directory() / "lock";
  {
    const auto held = FileLock::take(path);
    ASSERT_TRUE(held);
    const auto second = FileLock::try_take(path);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->has_value());
  }
  EXPECT_TRUE(FileLock::try_take(path)->has_value());
}

}  // namespace
}  // namespace understudy::store
