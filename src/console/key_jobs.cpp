#include "console/key_jobs.hpp"

#include "adapters/crypto/role_keys.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/audit_trail.hpp"
#include "adapters/store/call_log.hpp"
#include "console/content_access.hpp"

namespace understudy::console {

Result<json::value> init_keys(const Home& home) {
  TRY(crypto::init_keys(home.keys()));
  TRY(trace_key_change(home, "admin", "make", "keys init"));
  json::object keys;
  for (const auto role : crypto::all_roles) {
    keys[crypto::to_string(role)] = TRY(crypto::load_public_key(home.keys(), role)).fingerprint();
  }
  return json::object{{"directory", home.keys().string()}, {"keys", std::move(keys)}};
}

Result<json::value> list_keys(const Home& home) {
  json::array keys;
  for (const crypto::KeyInfo& key : crypto::list_keys(home.keys())) {
    json::array former;
    for (const std::string& fingerprint : key.former) former.emplace_back(fingerprint);
    keys.push_back(json::object{{"name", key.name},
                                {"fingerprint", key.fingerprint},
                                {"public_here", key.has_public},
                                {"secret_here", key.has_secret},
                                {"passphrase", key.is_protected},
                                {"former", std::move(former)}});
  }
  return json::object{{"directory", home.keys().string()},
                      {"keys", std::move(keys)},
                      {"tenants", TRY(crypto::list_tenants(home.keys())).size()}};
}

Result<json::value> rotate_keys(const Home& home, crypto::Role role) {
  TRY(trace_key_change(home, std::string(to_string(role)), "rotate", "keys rotate"));
  const crypto::Rotation rotation = TRY(crypto::rotate_role_keys(home.keys(), role));
  return json::object{{"role", to_string(role)},
                      {"before", rotation.before.fingerprint()},
                      {"after", rotation.after.fingerprint()},
                      {"tenants_resealed", rotation.tenants_resealed}};
}

Result<json::value> protect_key(const Home& home, crypto::Role role, Protection protection) {
  const bool protect = protection == Protection::passphrase;
  TRY(protect ? crypto::protect_role_key(home.keys(), role)
              : crypto::unprotect_role_key(home.keys(), role));
  TRY(trace_key_change(home, std::string(to_string(role)), "protect", "keys protect",
                       protect ? "with a passphrase" : "passphrase removed"));
  return json::object{{"role", to_string(role)}, {"passphrase", protect}};
}

Result<json::value> show_audit(const Home& home, std::size_t limit) {
  auto report = TRY(store::verify_audit(home, {}));
  if (limit > 0 && report.entries.size() > limit) {
    report.entries.erase(report.entries.begin(),
                         report.entries.end() - static_cast<std::ptrdiff_t>(limit));
  }
  json::array entries;
  for (const store::AuditEntry& entry : report.entries) entries.push_back(to_json(entry));
  return json::object{{"entries", std::move(entries)},
                      {"lines", report.head.lines},
                      {"head", report.head.hash},
                      {"sound", report.findings.empty()}};
}

Result<json::value> verify_audit(const Home& home, const std::string& noted) {
  // The segments' anchors need the auditor's key; the chain alone needs none.
  std::vector<store::TrailAnchor> anchors;
  json::array warnings;
  std::error_code ignored;
  if (std::filesystem::exists(home.keys() / "auditor.key", ignored)) {
    const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::auditor));
    auto log = TRY(store::read_call_log(home, key, [](const Call&) -> Status { return {}; },
                                        {.open_content = false}));
    anchors = std::move(log.anchors);
    for (const Error& error : log.corrupt) warnings.emplace_back(error.message);
  } else {
    warnings.emplace_back("without the auditor's key the log's anchors were not compared");
  }
  const auto report = TRY(store::verify_audit(home, anchors, noted));
  json::array findings;
  for (const std::string& finding : report.findings) findings.emplace_back(finding);
  for (const std::string& warning : report.warnings) warnings.emplace_back(warning);
  return json::object{{"sound", report.findings.empty()}, {"lines", report.head.lines},
                      {"head", report.head.hash},         {"anchors", report.anchors_checked},
                      {"findings", std::move(findings)},  {"warnings", std::move(warnings)}};
}

}  // namespace understudy::console
