#include "adapters/store/policy_store.hpp"

#include <charconv>
#include <cstdio>

#include "adapters/crypto/keys.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"

namespace understudy::store {

namespace {

std::filesystem::path path_of(const Home& home, std::int64_t version) {
  char name[32];
  std::snprintf(name, sizeof name, "%06lld.json", static_cast<long long>(version));
  return home.policy() / name;
}

}  // namespace

Result<std::int64_t> current_policy_version(const Home& home) {
  const auto content = read_file(home.policy() / "current");
  if (!content) return 0;
  std::int64_t version = 0;
  const auto parsed = std::from_chars(content->data(), content->data() + content->size(), version);
  if (parsed.ec != std::errc{} || version < 0) {
    return fail(ErrorCode::corrupt, (home.policy() / "current").string() + " names no version");
  }
  return version;
}

Result<std::int64_t> publish_policy(const Home& home, RoutingPolicy policy) {
  policy.version = TRY(current_policy_version(home)) + 1;
  policy.made_at = now();
  const std::string text = json::to_canonical(to_json(policy));
  const json::object file{{"policy", text}, {"signature", TRY(crypto::sign(home.keys(), text))}};
  TRY(write_file_atomically(path_of(home, policy.version), json::to_text(file) + "\n"));
  TRY(write_file_atomically(home.policy() / "current", std::to_string(policy.version) + "\n"));
  return policy.version;
}

Result<RoutingPolicy> load_current_policy(const Home& home) {
  const std::int64_t version = TRY(current_policy_version(home));
  if (version == 0) return RoutingPolicy{};
  return load_policy(home, version);
}

Result<RoutingPolicy> load_policy(const Home& home, std::int64_t version) {
  const auto path = path_of(home, version);
  const auto file = json::parse(TRY(read_file(path)));
  if (!file) return fail(ErrorCode::corrupt, path.string() + ": " + file.error().message);
  const std::string text = json::string_or(*file, "policy");
  const Status signature =
      crypto::verify_signature(home.keys(), text, json::string_or(*file, "signature"));
  if (!signature) return fail(signature.error().within(path.string()));
  RoutingPolicy policy = TRY(routing_policy_from_json(TRY(json::parse(text))));
  if (policy.version != version)
    return fail(ErrorCode::corrupt, path.string() + " holds another version's policy");
  return policy;
}

}  // namespace understudy::store
