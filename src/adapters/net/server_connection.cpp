#include "adapters/net/server_connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/net/message_head.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::net {

namespace {

constexpr std::size_t body_step_bytes = 256 * limits::kibi;  // per read of a body of known length

std::string error_json(std::string_view message, std::string_view type) {
  return R"({"error":{"message":")" + std::string(message) + R"(","type":")" + std::string(type) +
         R"(","param":null,"code":null}})";
}

// "http://host/path?query", as a client writes it to what it takes for a proxy: the path is ours,
// and where it leads is never the client's choice.
void drop_authority(std::string& target) {
  const std::size_t scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == std::string::npos) return;
  const std::size_t path = target.find_first_of("/?", scheme_end + 3);
  if (path == std::string::npos) {
    target = "/";
  } else {
    target.erase(0, path);
    if (!target.starts_with('/')) target.insert(0, 1, '/');
  }
}

Headers json_headers() {
  Headers headers;
  headers.add("Content-Type", "application/json");
  return headers;
}

}  // namespace

ServerConnection::ServerConnection(ServerContext& context, IoLoop& loop, int descriptor,
                                   const TlsContext* tls)
    : context_(context), stream_(loop, descriptor) {
  boost::system::error_code error;
  stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true), error);
  const auto peer = stream_.socket().remote_endpoint(error);
  if (!error) request_.peer_address = peer.address().to_string();
  if (tls != nullptr) stream_.use_tls(TlsSession::accept(*tls, descriptor));
  stream_.observe(this);
}

Async<void> ServerConnection::serve() {
  if (stream_.tls() != nullptr && !co_await handshake()) co_return;
  while (co_await next_request() == Next::request) {
    co_await answer();
    if (phase_ == Phase::cut || client_gone_) co_return;
    if (!keep_alive_ || !co_await skip_unread_body()) break;
  }
  if (phase_ == Phase::answered) co_await linger();
  stream_.close();
}

Async<bool> ServerConnection::handshake() {
  stream_.set_deadline(stream_.loop().deadline_in(context_.deadlines.head));
  while (stream_.failure() == StreamFailure::none) {
    const IoStatus status = stream_.tls()->handshake().status;
    if (status == IoStatus::done) co_return true;
    if (status == IoStatus::ended || status == IoStatus::failed) co_return false;
    co_await stream_.ready_for(status);
  }
  co_return false;
}

Async<ServerConnection::Next> ServerConnection::next_request() {
  request_.headers.clear();
  std::string().swap(request_.body);
  parser_.start(request_);
  phase_ = Phase::idle;
  stream_.settle();
  stream_.set_deadline(stream_.loop().deadline_in(context_.deadlines.keep_alive));
  while (true) {
    if (!stream_.unread().empty()) {
      if (phase_ == Phase::idle) {
        phase_ = Phase::head;
        stream_.set_deadline(stream_.loop().deadline_in(context_.deadlines.head));
      }
      const ParseResult result = parser_.parse_head(stream_.unread());
      stream_.consume(result.consumed);
      if (result.status == ParseStatus::done) break;
      if (result.status == ParseStatus::bad) {
        co_await refuse(400, "this is no valid HTTP/1.1 request");
        co_return Next::end;
      }
      if (result.status == ParseStatus::too_large) {
        co_await refuse(431, "the request's header is too large");
        co_return Next::end;
      }
    }
    // Where a wait is outstanding since the last exchange, nothing has come yet.
    const IoStatus status = stream_.is_surely_empty() ? IoStatus::want_read : stream_.fill().status;
    if (status == IoStatus::done) continue;
    stream_.settle();
    if (status == IoStatus::ended || status == IoStatus::failed) co_return Next::end;
    if (phase_ == Phase::idle && context_.stopping) co_return Next::end;
    if (stream_.failure() == StreamFailure::none) co_await stream_.ready_for(status);
    if (stream_.failure() == StreamFailure::none) continue;
    if (stream_.failure() == StreamFailure::timeout && phase_ == Phase::head)
      co_await refuse(408, "the request's header did not come in time");
    co_return Next::end;
  }
  open_exchange();
  co_return Next::request;
}

void ServerConnection::open_exchange() {
  arrived_ns_ = steady_now_ns();
  phase_ = Phase::open;
  stream_.set_deadline(never_ns);
  keep_alive_ = parser_.keep_alive();
  head_only_ = request_.method == "HEAD";
  drop_authority(request_.target);
  body_left_ = parser_.content_length().value_or(0);
  body_done_ = !parser_.has_body();
  in_chunks_ = !body_done_ && body_left_ == 0;
  body_bad_ = false;
  body_bytes_ = 0;
  body_waited_ns_ = 0;
  continue_owed_ = parser_.expects_continue() && !parser_.is_http_1_0() && !body_done_;
  taken_.clear();
  if (body_left_ <= limits::body_bytes_max) take_body_from_unread(taken_);
  stream_.settle();
  stream_.arm_read();
}

void ServerConnection::take_body_from_unread(std::string& into) {
  if (body_done_ || body_bad_ || stream_.unread().empty()) return;
  continue_owed_ = false;  // the client did not wait for it
  const std::size_t before = into.size();
  if (in_chunks_) {
    const ParseResult result = parser_.parse_body(stream_.unread(), into);
    stream_.consume(result.consumed);
    body_bad_ = result.status == ParseStatus::bad || result.status == ParseStatus::too_large;
    body_done_ = parser_.body_is_done();
  } else {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(stream_.unread().size(), body_left_));
    into.append(stream_.unread().substr(0, count));
    stream_.consume(count);
    body_left_ -= count;
    body_done_ = body_left_ == 0;
  }
  body_bytes_ += into.size() - before;
}

Async<void> ServerConnection::answer() {
  std::string defect;
  try {
    co_await context_.handler(*this);
  } catch (const std::exception& error) {
    defect = error.what();
  }
  when_gone_ = nullptr;
  if (client_gone_ || phase_ == Phase::cut || phase_ == Phase::answered) {
    if (!defect.empty()) log::error("a request failed after its answer: " + defect);
  } else if (phase_ == Phase::begun) {
    log::error("a request failed after its answer had begun: " + defect);
    abort();
  } else {
    log::error("a request was not answered: " + defect);
    co_await send(500, json_headers(), error_json("internal error", "server_error"));
  }
}

Async<void> ServerConnection::refuse(unsigned status, std::string_view message) {
  stream_.settle();
  keep_alive_ = false;
  body_done_ = false;  // whatever comes behind the defect is unread
  phase_ = Phase::open;
  head_only_ = false;
  co_await send(status, json_headers(), error_json(message, "invalid_request_error"));
}

Async<bool> ServerConnection::skip_unread_body() {
  taken_.clear();
  while (!body_done_) {
    const auto more = co_await more_body(taken_);
    if (!more) co_return false;
    taken_.clear();
  }
  if (taken_.capacity() > 4 * limits::kibi) std::string().swap(taken_);
  co_return true;
}

// Closing with bytes unread would reset the connection, and the client, still writing, would never
// see why: read on for a while.
Async<void> ServerConnection::linger() {
  stream_.shutdown_send();
  if (body_done_ && stream_.read_is_armed()) co_return;
  stream_.set_deadline(stream_.loop().deadline_in(std::chrono::seconds(limits::refusal_linger_s)));
  while (stream_.failure() == StreamFailure::none) {
    stream_.consume(stream_.unread().size());
    const IoStatus status = stream_.fill().status;
    if (status == IoStatus::done) continue;
    stream_.settle();
    if (status != IoStatus::want_read) co_return;
    co_await stream_.readable();
  }
}

void ServerConnection::stop_if_idle() {
  if (phase_ == Phase::idle) stream_.cancel();
}

// --- The request's body ------------------------------------------------------------------------

Result<void> ServerConnection::body_allowed() const {
  if (body_bytes_ <= limits::body_bytes_max && body_left_ <= limits::body_bytes_max) return {};
  return fail(ErrorCode::exhausted, "the request's body is larger than " +
                                        std::to_string(limits::body_bytes_max) + " bytes");
}

Async<Result<void>> ServerConnection::say_continue() {
  if (!std::exchange(continue_owed_, false)) co_return Result<void>{};
  if (!co_await flush(Outgoing("HTTP/1.1 100 Continue\r\n\r\n")))
    co_return body_failed(IoStatus::failed);
  co_return Result<void>{};
}

Async<Result<void>> ServerConnection::read_small_body(std::size_t bytes) {
  if (auto allowed = body_allowed(); !allowed) co_return fail(std::move(allowed).error());
  if (request_.body.empty()) request_.body = std::exchange(taken_, {});
  const auto is_small = [&] { return request_.body.size() + body_left_ <= bytes; };
  if (body_done_ || !is_small()) co_return Result<void>{};
  if (continue_owed_) {
    if (auto said = co_await say_continue(); !said) co_return said;
  }
  while (!body_done_ && is_small()) {
    // The announced length is believed once a good deal of it has come.
    const std::uint64_t trusted =
        request_.body.size() < limits::mebi ? limits::mebi : limits::body_bytes_max;
    request_.body.reserve(request_.body.size() +
                          static_cast<std::size_t>(std::min(body_left_, trusted)));
    if (auto more = co_await more_body(request_.body); !more) co_return more;
  }
  co_return Result<void>{};
}

Async<Result<std::string>> ServerConnection::read_body_part() {
  if (auto allowed = body_allowed(); !allowed) co_return fail(std::move(allowed).error());
  if (taken_.empty() && !body_done_) {
    if (continue_owed_) {
      if (auto said = co_await say_continue(); !said) co_return fail(std::move(said).error());
    }
    if (auto more = co_await more_body(taken_); !more) co_return fail(std::move(more).error());
  }
  std::string part = std::move(taken_);
  taken_.clear();
  co_return part;
}

// Appends some bytes of the body, or finds its end.
Async<Result<void>> ServerConnection::more_body(std::string& into) {
  const std::size_t before = into.size();
  while (true) {
    if (body_bad_) co_return body_failed(IoStatus::done);
    IoStatus status = IoStatus::done;
    if (in_chunks_) {
      status = stream_.fill().status;
      take_body_from_unread(into);
      stream_.settle();
    } else {
      const std::size_t step =
          static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, body_step_bytes));
      into.resize_and_overwrite(before + step, [&](char* data, std::size_t) {
        const IoResult result = stream_.read({data + before, step});
        status = result.status;
        return before + result.bytes;
      });
      body_left_ -= into.size() - before;
      body_bytes_ += into.size() - before;
      body_done_ = body_left_ == 0;
    }
    if (auto allowed = body_allowed(); !allowed) co_return allowed;
    if (body_done_ && !stream_.read_is_armed()) stream_.arm_read();
    if (into.size() > before || body_done_) {
      stream_.set_deadline(never_ns);
      co_return Result<void>{};
    }
    if (status == IoStatus::done) continue;
    if (status == IoStatus::ended || status == IoStatus::failed) co_return body_failed(status);
    const std::int64_t since_ns = stream_.loop().coarse_now_ns();
    stream_.set_deadline(stream_.loop().deadline_in(patience(body_waited_ns_, body_bytes_)));
    if (stream_.failure() == StreamFailure::none) co_await stream_.ready_for(status);
    body_waited_ns_ += stream_.loop().coarse_now_ns() - since_ns;
    if (stream_.failure() != StreamFailure::none) co_return body_failed(status);
  }
}

std::unexpected<Error> ServerConnection::body_failed(IoStatus status) {
  keep_alive_ = false;
  if (body_bad_) return fail(ErrorCode::invalid_input, "the request's body is badly framed");
  if (stream_.failure() == StreamFailure::timeout)
    return fail(ErrorCode::timeout, "the request's body did not come in time");
  if (status == IoStatus::ended || status == IoStatus::failed) lost();
  return fail(ErrorCode::cancelled, "the client is gone");
}

// Each wait has the idle time; all of them together too, unless the client keeps up the least rate.
std::chrono::nanoseconds ServerConnection::patience(std::int64_t waited_ns,
                                                    std::uint64_t bytes) const {
  const std::chrono::nanoseconds idle = context_.deadlines.idle;
  const std::int64_t earned_s = static_cast<std::int64_t>(bytes) / limits::body_bytes_per_s_min;
  return std::min(idle,
                  idle + std::chrono::seconds(earned_s) - std::chrono::nanoseconds(waited_ns));
}

}  // namespace understudy::net
