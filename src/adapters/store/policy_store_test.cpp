#include "adapters/store/policy_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "adapters/crypto/keys.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PolicyStoreTest : public testing::Test {
 protected:
  PolicyStoreTest() {
    std::string name = (fs::temp_directory_path() / "understudy-policy-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
  }
  ~PolicyStoreTest() override { fs::remove_all(directory_); }

  static RoutingPolicy policy(double threshold) {
    TaskPolicy task;
    task.task = {"t-1"};
    task.mode = RouteMode::active;
    task.threshold = threshold;
    RoutingPolicy made;
    made.reason = "promote t-1";
    made.tasks = {task};
    return made;
  }

  fs::path directory_;
  std::optional<Home> home_;
};

TEST_F(PolicyStoreTest, AHomeWithoutAPolicyHasTheEmptyOne) {
  EXPECT_EQ(load_current_policy(*home_)->version, 0);
  EXPECT_EQ(current_policy_version(*home_).value(), 0);
}

TEST_F(PolicyStoreTest, EachPublicationGetsTheNextVersionAndIsInForce) {
  EXPECT_EQ(publish_policy(*home_, policy(0.3)).value(), 1);
  EXPECT_EQ(publish_policy(*home_, policy(0.1 + 0.7)).value(), 2);
  const RoutingPolicy current = load_current_policy(*home_).value();
  EXPECT_EQ(current.version, 2);
  EXPECT_EQ(current.reason, "promote t-1");
  ASSERT_EQ(current.tasks.size(), 1u);
  EXPECT_EQ(current.tasks[0].threshold, 0.1 + 0.7);  // to the last bit
  EXPECT_TRUE(fs::exists(home_->policy() / "000001.json"));
}

TEST_F(PolicyStoreTest, TheGatewayReadsWithoutASecretKey) {
  ASSERT_TRUE(publish_policy(*home_, policy(0.3)));
  for (const auto& entry : fs::directory_iterator(home_->keys())) {
    if (entry.path().extension() == ".key") fs::remove(entry.path());
  }
  EXPECT_EQ(load_current_policy(*home_)->version, 1);
  EXPECT_FALSE(publish_policy(*home_, policy(0.4)));
}

TEST_F(PolicyStoreTest, AChangedPolicyIsRefused) {
  ASSERT_TRUE(publish_policy(*home_, policy(0.3)));
  const fs::path path = home_->policy() / "000001.json";
  std::string text = read_file(path).value();
  const std::size_t at = text.find("t-1");
  ASSERT_NE(at, std::string::npos);
  text[at + 2] = '2';
  ASSERT_TRUE(write_file_atomically(path, text));
  const auto refused = load_current_policy(*home_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::denied);
  EXPECT_THAT(refused.error().message, HasSubstr("000001.json"));
}

TEST_F(PolicyStoreTest, AnOldPolicyUnderANewNumberIsRefused) {
  ASSERT_TRUE(publish_policy(*home_, policy(0.3)));
  ASSERT_TRUE(publish_policy(*home_, policy(0.9)));
  fs::copy_file(home_->policy() / "000001.json", home_->policy() / "000002.json",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(load_current_policy(*home_).error().code, ErrorCode::corrupt);
}

TEST_F(PolicyStoreTest, APolicySignedByAnotherHomeIsRefused) {
  const Home other = Home::open(directory_ / "other").value();
  ASSERT_TRUE(crypto::init_keys(other.keys()));
  ASSERT_TRUE(publish_policy(other, policy(0.3)));
  for (const char* name : {"000001.json", "current"}) {
    fs::copy_file(other.policy() / name, home_->policy() / name);
  }
  EXPECT_EQ(load_current_policy(*home_).error().code, ErrorCode::denied);
}

TEST_F(PolicyStoreTest, BrokenFilesAreCorruptAndNamed) {
  ASSERT_TRUE(publish_policy(*home_, policy(0.3)));
  ASSERT_TRUE(write_file_atomically(home_->policy() / "000001.json", "{"));
  EXPECT_THAT(load_current_policy(*home_).error().message, HasSubstr("000001.json"));
  ASSERT_TRUE(write_file_atomically(home_->policy() / "current", "../../etc\n"));
  EXPECT_EQ(load_current_policy(*home_).error().code, ErrorCode::corrupt);
  ASSERT_TRUE(write_file_atomically(home_->policy() / "current", "7\n"));
  EXPECT_FALSE(load_current_policy(*home_));
}

}  // namespace
}  // namespace understudy::store
