#include "adapters/crypto/role_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <thread>

#include "adapters/crypto/segment_cipher.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "base/files.hpp"

namespace understudy::crypto {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class RoleKeysTest : public testing::Test {
 protected:
  RoleKeysTest() {
    std::string name = (fs::temp_directory_path() / "understudy-roles-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    EXPECT_TRUE(init_keys(keys()));
  }
  ~RoleKeysTest() override {
    for (const char* name : {"UNDERSTUDY_PASSPHRASE_CURATOR", "UNDERSTUDY_NEW_PASSPHRASE_CURATOR",
                             "UNDERSTUDY_PASSPHRASE_ADMIN", "UNDERSTUDY_NEW_PASSPHRASE_ADMIN"}) {
      ::unsetenv(name);
    }
    fs::remove_all(directory_);
  }

  [[nodiscard]] fs::path keys() const { return directory_ / "keys"; }
  [[nodiscard]] SecretKey curator() const { return load_secret_key(keys(), Role::curator).value(); }
  static void set(const char* variable, const char* value) { ::setenv(variable, value, 1); }

  fs::path directory_;
};

TEST_F(RoleKeysTest, WhatWasSealedBeforeRotationsOpensWithTheNewKeyAlone) {
  std::vector<std::string> sealed;
  for (int i = 0; i < 3; ++i) {
    sealed.push_back(
        seal("box " + std::to_string(i), load_public_key(keys(), Role::curator).value()));
    const auto rotation = rotate_role_keys(keys(), Role::curator);
    ASSERT_TRUE(rotation) << rotation.error().to_text();
    EXPECT_NE(rotation->before.fingerprint(), rotation->after.fingerprint());
    EXPECT_EQ(curator().public_key.bytes, load_public_key(keys(), Role::curator)->bytes);
    struct stat status{};
    ASSERT_EQ(::stat((keys() / "curator.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
  }
  const SecretKey present = curator();
  EXPECT_FALSE(open_sealed(sealed[0], present));
  const auto former = former_keys(keys(), present).value();
  ASSERT_EQ(former.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const bool opened = std::ranges::any_of(former, [&](const SecretKey& key) {
      const auto plain = open_sealed(sealed[static_cast<std::size_t>(i)], key);
      return plain && *plain == "box " + std::to_string(i);
    });
    EXPECT_TRUE(opened) << i;
  }
  // Another role's rotation does not touch them, and the archive alone opens nothing.
  EXPECT_TRUE(former_keys(keys(), load_secret_key(keys(), Role::trainer).value())->empty());
  EXPECT_EQ(list_keys(keys())[0].former.size(), 3u);
}

TEST_F(RoleKeysTest, ACrashInMidRotationLosesNothing) {
  // The state after the new secret key is in force and before anything else was sealed anew.
  const std::string old_box = seal("old", load_public_key(keys(), Role::curator).value());
  ASSERT_TRUE(rotate_role_keys(keys(), Role::curator));
  const auto archive_file = fs::directory_iterator(keys() / "archive")->path();
  const std::string sealed_to_second = read_file(archive_file).value();
  ASSERT_TRUE(rotate_role_keys(keys(), Role::curator));
  ASSERT_TRUE(write_file_atomically(archive_file, sealed_to_second, FileMode::owner_only));
  bool opened = false;
  for (const SecretKey& former : former_keys(keys(), curator()).value()) {
    opened = opened || open_sealed(old_box, former).has_value();
  }
  EXPECT_TRUE(opened);
}

TEST_F(RoleKeysTest, TheAdminsKeyIsNotRotated) {
  EXPECT_EQ(rotate_role_keys(keys(), Role::admin).error().code, ErrorCode::unsupported);
}

TEST_F(RoleKeysTest, AProtectedKeyOpensWithItsPassphraseOnly) {
  const auto before = curator().bytes.reveal();
  set("UNDERSTUDY_NEW_PASSPHRASE_CURATOR", "correct horse");
  ASSERT_TRUE(protect_role_key(keys(), Role::curator));
  EXPECT_TRUE(list_keys(keys())[0].is_protected);
  set("UNDERSTUDY_PASSPHRASE_CURATOR", "wrong horse");
  const auto wrong = load_secret_key(keys(), Role::curator);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::denied);
  EXPECT_THAT(wrong.error().message, HasSubstr("passphrase"));
  set("UNDERSTUDY_PASSPHRASE_CURATOR", "correct horse");
  EXPECT_EQ(curator().bytes.reveal(), before);
  EXPECT_EQ(read_file(keys() / "curator.key")->find("2185"), std::string::npos);

  // A rotation keeps the passphrase, and another one replaces it.
  ASSERT_TRUE(rotate_role_keys(keys(), Role::curator));
  EXPECT_TRUE(list_keys(keys())[0].is_protected);
  EXPECT_NE(curator().bytes.reveal(), before);
  EXPECT_EQ(former_keys(keys(), curator())->size(), 1u);
  set("UNDERSTUDY_NEW_PASSPHRASE_CURATOR", "another horse");
  ASSERT_TRUE(protect_role_key(keys(), Role::curator));
  EXPECT_FALSE(load_secret_key(keys(), Role::curator));
  set("UNDERSTUDY_PASSPHRASE_CURATOR", "another horse");
  EXPECT_TRUE(load_secret_key(keys(), Role::curator));
  ASSERT_TRUE(unprotect_role_key(keys(), Role::curator));
  ::unsetenv("UNDERSTUDY_PASSPHRASE_CURATOR");
  EXPECT_TRUE(load_secret_key(keys(), Role::curator));
}

TEST_F(RoleKeysTest, TheAdminsPassphraseProtectsSignaturesToo) {
  set("UNDERSTUDY_NEW_PASSPHRASE_ADMIN", "correct horse");
  ASSERT_TRUE(protect_role_key(keys(), Role::admin));
  set("UNDERSTUDY_PASSPHRASE_ADMIN", "wrong horse");
  EXPECT_EQ(sign(keys(), "policy").error().code, ErrorCode::denied);
  set("UNDERSTUDY_PASSPHRASE_ADMIN", "correct horse");
  EXPECT_TRUE(verify_signature(keys(), "policy", sign(keys(), "policy").value()));
}

TEST_F(RoleKeysTest, AShortPassphraseIsRefused) {
  set("UNDERSTUDY_NEW_PASSPHRASE_CURATOR", "short");
  EXPECT_EQ(protect_role_key(keys(), Role::curator).error().code, ErrorCode::invalid_input);
  EXPECT_TRUE(load_secret_key(keys(), Role::curator));
}

TEST_F(RoleKeysTest, ATenantsKeyIsMadeOnceAndOpensForTheCuratorOnly) {
  const PublicKey made = tenant_public_key(keys(), "acme").value();
  EXPECT_EQ(tenant_public_key(keys(), "acme")->bytes, made.bytes);
  const std::string box = seal("content key", made);
  const SecretKey opener = curator();
  const auto secret = open_tenant_key(keys(), "acme", std::span(&opener, 1));
  ASSERT_TRUE(secret) << secret.error().to_text();
  EXPECT_EQ(open_sealed(box, *secret).value(), "content key");
  const SecretKey other = load_secret_key(keys(), Role::auditor).value();
  EXPECT_EQ(open_tenant_key(keys(), "acme", std::span(&other, 1)).error().code, ErrorCode::denied);
  EXPECT_EQ(open_tenant_key(keys(), "nobody", std::span(&opener, 1)).error().code,
            ErrorCode::not_found);
  EXPECT_THAT(list_tenants(keys()).value(), ElementsAre("acme"));

  ASSERT_TRUE(rotate_role_keys(keys(), Role::curator));
  const SecretKey present = curator();
  const auto resealed = open_tenant_key(keys(), "acme", std::span(&present, 1));
  ASSERT_TRUE(resealed) << resealed.error().to_text();
  EXPECT_EQ(resealed->bytes.reveal(), secret->bytes.reveal());

  ASSERT_TRUE(erase_tenant_keys(keys(), "acme").value());
  EXPECT_TRUE(list_tenants(keys())->empty());
  EXPECT_NE(tenant_public_key(keys(), "acme")->bytes, made.bytes);  // a stranger
}

TEST_F(RoleKeysTest, ATenantsNameNeverLeavesItsFolder) {
  ASSERT_TRUE(tenant_public_key(keys(), "../../evil"));
  ASSERT_TRUE(tenant_public_key(keys(), std::string(500, 'x')));
  ASSERT_TRUE(tenant_public_key(keys(), ""));
  EXPECT_FALSE(fs::exists(directory_ / "evil.pub"));
  EXPECT_FALSE(fs::exists(directory_.parent_path() / "evil.pub"));
  EXPECT_THAT(list_tenants(keys()).value(),
              ElementsAre("default", testing::StartsWith("h-"), testing::StartsWith("h-")));
}

TEST_F(RoleKeysTest, ManyThreadsSeeOneKeyOfATenant) {
  std::vector<PublicKey> seen(8);
  {
    std::vector<std::jthread> threads;
    for (PublicKey& one : seen) {
      threads.emplace_back([&] { one = tenant_public_key(keys(), "acme").value(); });
    }
  }
  for (const PublicKey& one : seen) EXPECT_EQ(one.bytes, seen[0].bytes);
}

TEST(ContentAddresser, EqualTextsHaveOneAddressUnderOneKey) {
  const ContentAddresser one;
  const ContentAddresser other;
  EXPECT_EQ(one.of("text"), one.of("text"));
  EXPECT_NE(one.of("text"), one.of("texu"));
  EXPECT_NE(one.of(""), one.of(std::string(1, '\0')));
  EXPECT_NE(one.of("text"), other.of("text"));
}

}  // namespace
}  // namespace understudy::crypto
