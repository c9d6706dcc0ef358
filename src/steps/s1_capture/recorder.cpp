#include "steps/s1_capture/recorder.hpp"

#include "adapters/crypto/keys.hpp"

namespace understudy::s1 {

Result<std::unique_ptr<Recorder>> Recorder::open(const store::Home& home,
                                                 const RecorderOptions& options) {
  Pseudonyms pseudonyms(TRY(crypto::load_pseudonym_key(home.keys())));
  auto log = TRY(store::CallLogWriter::open(home, {.mode = options.mode,
                                                   .ring_bytes = options.ring_bytes,
                                                   .segment_bytes = options.segment_bytes,
                                                   .segment_age_s = options.segment_age_s,
                                                   .retention_days = options.retention_days,
                                                   .compression = options.compression}));
  return std::unique_ptr<Recorder>(new Recorder(std::move(pseudonyms), std::move(log), options));
}

bool Recorder::try_record(Call& call) { return try_record(call, {}); }

bool Recorder::try_record(Call& call, std::function<void(Status)> done) {
  if (options_.mode == CaptureMode::off) {
    if (done) done({});
    return true;
  }
  if (call.id.empty()) call.id = {make_uuid7()};
  // Whoever has read the request knows its session; reading it again would cost too much here.
  if (call.session.empty()) call.session = {"s-" + call.id.value};
  if (log_->try_append(call, std::move(done))) return true;
  if (options_.when_full == WhenFull::drop) log_->count_dropped();
  return false;
}

void Recorder::when_room(std::function<void()> callback) { log_->when_room(std::move(callback)); }

bool Recorder::record_feedback(Feedback& feedback) {
  return options_.mode == CaptureMode::off || log_->try_append(feedback);
}

Status Recorder::record(Call call) {
  if (options_.mode == CaptureMode::off) return {};
  if (call.id.empty()) call.id = {make_uuid7()};
  if (call.session.empty()) {
    const Result<json::value> request = json::parse(call.request.reveal());
    // A request that is no JSON (the upstream refused it) is a session of its own.
    call.session = request ? infer_session(*request) : SessionId{"s-" + call.id.value};
  }
  return log_->append(std::move(call));
}

Status Recorder::flush() { return log_->flush(); }

SessionId Recorder::infer_session(const json::value& request) const {
  return pseudonyms_.session_of(request);
}

std::string Recorder::pseudonym(std::string_view kind, std::string_view value) const {
  return pseudonyms_.of(kind, value);
}

std::uint64_t Recorder::committed() const { return log_->counters().committed; }

}  // namespace understudy::s1
