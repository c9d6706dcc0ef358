#include "console/content_access.hpp"

#include "adapters/store/audit_trail.hpp"

namespace understudy::console {

namespace {

store::AuditEntry entry(std::string role, std::string act, std::string what, std::string detail) {
  store::AuditEntry made;
  made.role = std::move(role);
  made.act = std::move(act);
  made.what = std::move(what);
  made.detail = std::move(detail);
  return made;
}

}  // namespace

Result<ContentAccess> ContentAccess::begin(const store::Home& home, crypto::Role role,
                                           std::string what, std::string detail) {
  TRY(store::append_audit(home, entry(std::string(to_string(role)), "open", what, detail)));
  return ContentAccess(home, role, std::move(what), std::move(detail));
}

Status ContentAccess::end(std::optional<std::uint64_t> calls) const {
  store::AuditEntry ended = entry(std::string(to_string(role_)), "read", what_, detail_);
  ended.calls = calls;
  return store::append_audit(home_, std::move(ended));
}

Status trace_key_change(const store::Home& home, std::string role, std::string act,
                        std::string what, std::string detail) {
  return store::append_audit(
      home, entry(std::move(role), std::move(act), std::move(what), std::move(detail)));
}

}  // namespace understudy::console
