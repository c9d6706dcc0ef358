#include "adapters/store/access_store.hpp"

#include <sys/stat.h>

#include "adapters/crypto/keys.hpp"
#include "base/file_lock.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

bool can_sign(const Home& home) {
  std::error_code error;
  return std::filesystem::exists(home.keys() / "admin-sign.key", error);
}

// A list that was signed must not lose its signature by a change.
bool is_signed(const Home& home) {
  const auto text = read_file(access_file(home));
  const auto tree = text ? json::parse(*text) : Result<json::value>(fail(text.error()));
  return tree && !json::string_or(*tree, "signature").empty();
}

}  // namespace

std::filesystem::path access_file(const Home& home) { return home.directory() / "access.json"; }

Result<AccessList> parse_access(const Home& home, std::string_view text, SignatureRule rule) {
  const std::string file = access_file(home).string();
  const auto tree = json::parse(text);
  if (!tree) return fail(ErrorCode::corrupt, file + ": " + tree.error().message);
  const std::string content = json::string_or(*tree, "access");
  const std::string signature = json::string_or(*tree, "signature");
  if (!signature.empty()) {
    const Status verified = crypto::verify_signature(home.keys(), content, signature);
    if (!verified) return fail(verified.error().within(file));
  } else if (rule == SignatureRule::required) {
    return fail(ErrorCode::denied, file + " is not signed by the admin",
                "change it with `understudy access` where the admin's key is, or set signed_only = "
                "false under [access]");
  }
  const auto inner = json::parse(content);
  if (!inner) return fail(ErrorCode::corrupt, file + ": " + inner.error().message);
  auto list = access_list_from_json(*inner);
  if (!list) return fail(ErrorCode::corrupt, file + ": " + list.error().message);
  return list;
}

Result<AccessList> load_access(const Home& home, SignatureRule rule) {
  auto text = read_file(access_file(home));
  if (!text && text.error().code == ErrorCode::not_found) return AccessList{};
  if (!text) return fail(std::move(text).error());
  return parse_access(home, *text, rule);
}

Status change_access(const Home& home, SignatureRule rule,
                     const std::function<Status(AccessList&)>& change) {
  const FileLock lock = TRY(FileLock::take(home.directory() / "access.lock"));
  const bool sign = can_sign(home);
  if (!sign && (rule == SignatureRule::required || is_signed(home))) {
    return fail(ErrorCode::denied,
                "the keys of this home are signed, and the admin's key is not here",
                "run `understudy access` where keys/admin-sign.key is");
  }
  AccessList list = TRY(load_access(home, rule));
  TRY(change(list));
  if (list.keys.size() > limits::virtual_keys_max || list.tokens.size() > limits::role_tokens_max) {
    return fail(ErrorCode::exhausted, "there are too many keys or tokens",
                "several callers may share a key; limits count per key");
  }
  ++list.version;
  const std::string content = json::to_canonical(to_json(list));
  json::object file{{"access", content}};
  if (sign) file["signature"] = TRY(crypto::sign(home.keys(), content));
  return write_file_atomically(access_file(home), json::to_text(file) + "\n", FileMode::owner_only);
}

FileStamp access_stamp(const Home& home) {
  struct stat facts{};
  if (::stat(access_file(home).c_str(), &facts) != 0) return {};
  return {.modified_ns = facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec,
          .inode = facts.st_ino,
          .bytes = facts.st_size};
}

}  // namespace understudy::store
