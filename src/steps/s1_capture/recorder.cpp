#include "steps/s1_capture/recorder.hpp"

#include <array>

#include "adapters/crypto/keys.hpp"

namespace understudy::s1 {

Result<std::unique_ptr<Recorder>> Recorder::open(const store::Home& home) {
  const std::array readers{TRY(crypto::load_public_key(home.keys(), crypto::Role::curator))};
  Pseudonyms pseudonyms(TRY(crypto::load_pseudonym_key(home.keys())));
  auto log = TRY(store::CallLogWriter::open(home, readers));
  return std::unique_ptr<Recorder>(new Recorder(std::move(pseudonyms), std::move(log)));
}

Status Recorder::record(Call call) {
  if (call.id.empty()) call.id = {make_uuid7()};
  if (call.session.empty()) {
    const Result<json::value> request = json::parse(call.request.reveal());
    // A request that is no JSON (the upstream refused it) is a session of its own.
    call.session = request ? infer_session(*request) : SessionId{"s-" + call.id.value};
  }
  return log_->append(call);
}

Status Recorder::flush() { return log_->flush(); }

SessionId Recorder::infer_session(const json::value& request) const {
  return pseudonyms_.session_of(request);
}

std::string Recorder::pseudonym(std::string_view kind, std::string_view value) const {
  return pseudonyms_.of(kind, value);
}

std::uint64_t Recorder::committed() const { return log_->committed_records(); }

}  // namespace understudy::s1
