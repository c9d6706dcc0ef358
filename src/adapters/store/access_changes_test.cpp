#include "adapters/store/access_changes.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <thread>

#include "adapters/crypto/keys.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr auto rule = SignatureRule::optional;

class AccessChangesTest : public testing::Test {
 protected:
  AccessChangesTest() {
    std::string name = (fs::temp_directory_path() / "understudy-keys-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
  }
  ~AccessChangesTest() override { fs::remove_all(directory_); }

  static VirtualKey named(const std::string& name) {
    VirtualKey key;
    key.name = name;
    return key;
  }
  [[nodiscard]] std::string file() const { return read_file(access_file(*home_)).value(); }

  fs::path directory_;
  std::optional<Home> home_;
};

TEST_F(AccessChangesTest, AnIssuedSecretStandsNowhereOnTheDisk) {
  const auto issued = issue_key(*home_, rule, named("agents"));
  ASSERT_TRUE(issued.has_value()) << issued.error().to_text();
  const std::string secret = issued->secret.reveal();
  EXPECT_EQ(secret.size(), crypto::access_secret_bytes);
  EXPECT_TRUE(secret.starts_with("us-"));
  EXPECT_THAT(file(), Not(HasSubstr(secret)));
  EXPECT_THAT(file(), Not(HasSubstr(secret.substr(3, 20))));
  EXPECT_EQ(crypto::hash_access_secret(secret), issued->key.hash);
  struct stat facts{};
  ASSERT_EQ(::stat(access_file(*home_).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(AccessChangesTest, SecretsDiffer) {
  const auto first = issue_key(*home_, rule, named("a"));
  const auto second = issue_key(*home_, rule, named("b"));
  EXPECT_NE(first->secret.reveal(), second->secret.reveal());
  EXPECT_NE(first->key.hash, second->key.hash);
}

TEST_F(AccessChangesTest, ANameIsTakenForEver) {
  ASSERT_TRUE(issue_key(*home_, rule, named("agents")));
  ASSERT_TRUE(revoke_access(*home_, rule, "agents"));
  EXPECT_EQ(issue_key(*home_, rule, named("agents")).error().code, ErrorCode::conflict);
  RoleToken token;
  token.name = "agents";
  EXPECT_EQ(issue_token(*home_, rule, token).error().code, ErrorCode::conflict);
}

TEST_F(AccessChangesTest, RotationKeepsTheLimitsAndEndsTheOldSecret) {
  VirtualKey wanted = named("agents");
  wanted.limits.budget_usd = 3;
  const auto first = issue_key(*home_, rule, wanted);
  const auto second = rotate_key(*home_, rule, "agents");
  ASSERT_TRUE(second.has_value()) << second.error().to_text();
  EXPECT_NE(first->key.hash, second->key.hash);
  const AccessList list = load_access(*home_, rule).value();
  ASSERT_EQ(list.keys.size(), 1U);
  EXPECT_EQ(list.keys[0].hash, crypto::hash_access_secret(second->secret.reveal()));
  EXPECT_EQ(list.keys[0].limits.budget_usd, 3);
  EXPECT_EQ(list.version, 2);
}

TEST_F(AccessChangesTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(issue_key(*home_, rule, named("../x")).error().code, ErrorCode::invalid_input);
  VirtualKey late = named("late");
  late.expires_at = {1};
  EXPECT_EQ(issue_key(*home_, rule, late).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(rotate_key(*home_, rule, "nobody").error().code, ErrorCode::not_found);
  EXPECT_EQ(revoke_access(*home_, rule, "nobody").error().code, ErrorCode::not_found);
  ASSERT_TRUE(issue_key(*home_, rule, named("a")));
  ASSERT_TRUE(revoke_access(*home_, rule, "a"));
  EXPECT_TRUE(revoke_access(*home_, rule, "a"));
  EXPECT_EQ(rotate_key(*home_, rule, "a").error().code, ErrorCode::conflict);
}

TEST_F(AccessChangesTest, ASignedListStaysSigned) {
  ASSERT_TRUE(crypto::init_keys(home_->keys()));
  ASSERT_TRUE(issue_key(*home_, rule, named("a")));
  EXPECT_TRUE(load_access(*home_, SignatureRule::required));
  fs::remove(home_->keys() / "admin-sign.key");
  EXPECT_EQ(issue_key(*home_, rule, named("b")).error().code, ErrorCode::denied);
  EXPECT_EQ(load_access(*home_, SignatureRule::required)->keys.size(), 1U);
}

TEST_F(AccessChangesTest, AChangedListIsRefused) {
  ASSERT_TRUE(crypto::init_keys(home_->keys()));
  ASSERT_TRUE(issue_key(*home_, rule, named("agents")));
  std::string text = file();
  text.replace(text.find("agents"), 6, "robots");
  ASSERT_TRUE(write_file_atomically(access_file(*home_), text));
  EXPECT_EQ(load_access(*home_, rule).error().code, ErrorCode::denied);
}

TEST_F(AccessChangesTest, ChangesAtOnceLoseNothing) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this, t] {
        for (int i = 0; i < 5; ++i) {
          EXPECT_TRUE(
              issue_key(*home_, rule, named("k" + std::to_string(t) + "-" + std::to_string(i))));
        }
      });
    }
  }
  EXPECT_EQ(load_access(*home_, rule)->keys.size(), 20U);
}

TEST_F(AccessChangesTest, TheStampShowsEachChange) {
  const FileStamp none = access_stamp(*home_);
  ASSERT_TRUE(issue_key(*home_, rule, named("a")));
  const FileStamp first = access_stamp(*home_);
  EXPECT_FALSE(none == first);
  ASSERT_TRUE(revoke_access(*home_, rule, "a"));
  EXPECT_FALSE(first == access_stamp(*home_));
}

TEST(ParseExpiry, TakesDatesAndTimes) {
  EXPECT_EQ(parse_expiry("2027-01-31")->value, parse_expiry("2027-01-31T00:00:00Z")->value);
  for (const char* wrong : {"", "tomorrow", "2027-1-31", "2027-13-01", "31.01.2027"})
    EXPECT_FALSE(parse_expiry(wrong)) << wrong;
}

}  // namespace
}  // namespace understudy::store
