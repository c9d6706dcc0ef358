#include "adapters/crypto/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "adapters/crypto/record_cipher.hpp"
#include "base/files.hpp"

namespace understudy::crypto {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class KeysTest : public testing::Test {
 protected:
  KeysTest() {
    std::string name = (fs::temp_directory_path() / "understudy-keys-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    EXPECT_TRUE(init_keys(keys()));
  }
  ~KeysTest() override { fs::remove_all(directory_); }

  [[nodiscard]] fs::path keys() const { return directory_ / "keys"; }
  static unsigned mode(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }

  fs::path directory_;
};

TEST_F(KeysTest, SecretKeysAreReadableByTheirOwnerOnly) {
  EXPECT_EQ(mode(keys()), 0700u);
  for (const char* name : {"curator.key", "trainer.key", "auditor.key", "admin.key",
                           "admin-sign.key", "pseudonym.key"}) {
    EXPECT_EQ(mode(keys() / name), 0600u) << name;
  }
}

TEST_F(KeysTest, KeysAreNeverOverwritten) {
  const std::string before = read_file(keys() / "curator.key").value();
  const Status again = init_keys(keys());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_THAT(again.error().message, HasSubstr(keys().string()));
  EXPECT_EQ(read_file(keys() / "curator.key").value(), before);
}

TEST_F(KeysTest, OnlyTheReaderOpensWhatWasSealedToIt) {
  const std::string sealed = seal("a prompt", load_public_key(keys(), Role::curator).value());
  EXPECT_EQ(open_sealed(sealed, load_secret_key(keys(), Role::curator).value()).value(),
            "a prompt");
  const auto other = open_sealed(sealed, load_secret_key(keys(), Role::trainer).value());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::denied);
  EXPECT_FALSE(open_sealed("short", load_secret_key(keys(), Role::curator).value()));
}

TEST_F(KeysTest, ASecretKeyKnowsItsPublicHalf) {
  for (const Role role : {Role::curator, Role::trainer, Role::auditor, Role::admin}) {
    EXPECT_EQ(load_secret_key(keys(), role)->public_key.bytes,
              load_public_key(keys(), role)->bytes);
  }
}

TEST_F(KeysTest, ASecretKeyThatOthersCanReadIsRefused) {
  fs::permissions(keys() / "curator.key", fs::perms(0640));
  const auto key = load_secret_key(keys(), Role::curator);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::denied);
  EXPECT_THAT(key.error().hint, HasSubstr("chmod 600"));
}

TEST_F(KeysTest, AMissingKeyNamesTheCommandThatMakesIt) {
  fs::remove(keys() / "curator.pub");
  const auto key = load_public_key(keys(), Role::curator);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::not_found);
  EXPECT_THAT(key.error().hint, HasSubstr("understudy keys init"));
}

TEST_F(KeysTest, AKeyFileThatIsAnotherKeyOrNoneIsRefused) {
  const std::string public_trainer = read_file(keys() / "trainer.pub").value();
  const std::string label = "understudy public key: curator (X25519)\n";
  for (const std::string& content :
       {std::string(), public_trainer, label, label + "abcd\n", label + std::string(64, 'x'),
        label + std::string(64, '0') + "\n"}) {  // all zeros: no usable point of the curve
    ASSERT_TRUE(write_file_atomically(keys() / "curator.pub", content));
    const auto key = load_public_key(keys(), Role::curator);
    ASSERT_FALSE(key) << content;
    EXPECT_EQ(key.error().code, ErrorCode::corrupt);
  }
}

TEST_F(KeysTest, ASignatureHoldsForItsMessageOnly) {
  const std::string signature = sign(keys(), "policy 7").value();
  EXPECT_TRUE(verify_signature(keys(), "policy 7", signature));
  EXPECT_FALSE(verify_signature(keys(), "policy 8", signature));
  EXPECT_FALSE(verify_signature(keys(), "policy 7", ""));
  EXPECT_FALSE(verify_signature(keys(), "policy 7", signature + "00"));
  std::string flipped = signature;
  flipped[0] = flipped[0] == '0' ? '1' : '0';
  EXPECT_EQ(verify_signature(keys(), "policy 7", flipped).error().code, ErrorCode::denied);
}

TEST(Hash, MatchesTheReferenceVectors) {
  // RFC 7693, appendix A, is BLAKE2b-512 of "abc"; the 32-byte form as b2sum -l 256 prints it.
  EXPECT_EQ(blake2b_hex("abc", 64),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
  EXPECT_EQ(blake2b_hex("abc"), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(hash("a", "bc"), blake2b("abc"));
}

TEST(Hash, PseudonymsDependOnTheKey) {
  const SecretText one(std::string(32, 'a'));
  const SecretText two(std::string(32, 'b'));
  EXPECT_EQ(hmac_hex(one, "user"), hmac_hex(one, "user"));
  EXPECT_NE(hmac_hex(one, "user"), hmac_hex(two, "user"));
  EXPECT_EQ(hmac_hex(one, "user", 8).size(), 16u);
}

TEST(RecordCipher, RefusesAnotherKeyNonceOrBinding) {
  const RecordCipher cipher(SecretText(random_bytes(data_key_bytes)));
  const std::string nonce = random_bytes(nonce_bytes);
  const std::string sealed = cipher.encrypt("text", nonce, "place 1");
  EXPECT_EQ(cipher.decrypt(sealed, nonce, "place 1")->reveal(), "text");
  EXPECT_FALSE(cipher.decrypt(sealed, nonce, "place 2"));
  EXPECT_FALSE(cipher.decrypt(sealed, random_bytes(nonce_bytes), "place 1"));
  EXPECT_FALSE(cipher.decrypt("", nonce, "place 1"));
  const RecordCipher other(SecretText(random_bytes(data_key_bytes)));
  EXPECT_FALSE(other.decrypt(sealed, nonce, "place 1"));
  EXPECT_NE(other.authenticate("x"), cipher.authenticate("x"));
}

}  // namespace
}  // namespace understudy::crypto
