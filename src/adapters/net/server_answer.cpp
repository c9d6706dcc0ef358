// The answering half of ServerConnection.
#include <array>
#include <utility>

#include "adapters/net/message_head.hpp"
#include "adapters/net/server_connection.hpp"
#include "base/limits.hpp"

namespace understudy::net {

namespace {

constexpr std::size_t head_capacity_idle_max = 2 * limits::kibi;

bool is_bodiless(unsigned status) { return status == 204 || status == 304 || status < 200; }

}  // namespace

void ServerConnection::start_head(unsigned status, const Headers& headers) {
  // A body that was not asked for must be skipped, or the connection ends.
  const bool short_rest = !in_chunks_ && body_left_ <= limits::unread_body_bytes_max;
  if (context_.stopping || (!body_done_ && (continue_owed_ || !short_rest))) keep_alive_ = false;
  head_.clear();
  append_status_line(head_, status);
  append_end_to_end(head_, headers);
}

void ServerConnection::end_head() {
  if (!keep_alive_) {
    head_ += "Connection: close\r\n";
  } else if (parser_.is_http_1_0()) {
    head_ += "Connection: keep-alive\r\n";
  }
  head_ += "\r\n";
}

Async<bool> ServerConnection::send(unsigned status, Headers headers, std::string body) {
  if (phase_ != Phase::open) co_return false;
  start_head(status, headers);
  if (!is_bodiless(status)) append_length(head_, body.size());
  end_head();
  phase_ = Phase::answered;
  const bool sends_body = !head_only_ && !is_bodiless(status);
  const std::array<std::string_view, 1> rest = {sends_body ? std::string_view(body)
                                                           : std::string_view{}};
  Outgoing bytes(head_, rest);
  bool sent = !client_gone_;
  if (sent && stream_.write(bytes) != IoStatus::done) sent = co_await flush(bytes);
  if (head_.capacity() > head_capacity_idle_max) std::string().swap(head_);
  co_return sent;
}

Async<bool> ServerConnection::begin(unsigned status, Headers headers,
                                    std::optional<std::uint64_t> content_length) {
  if (phase_ != Phase::open) co_return false;
  const bool bodiless = head_only_ || is_bodiless(status);
  // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
  answer_has_length_ = bodiless || content_length.has_value();
  answer_in_chunks_ = !answer_has_length_ && !parser_.is_http_1_0();
  answer_left_ = bodiless ? 0 : content_length.value_or(0);
  if (!answer_has_length_ && !answer_in_chunks_) keep_alive_ = false;
  start_head(status, headers);
  if (content_length && status != 204 && status >= 200) append_length(head_, *content_length);
  if (answer_in_chunks_) head_ += "Transfer-Encoding: chunked\r\n";
  end_head();
  phase_ = Phase::begun;
  co_return !client_gone_;
}

Async<bool> ServerConnection::write(std::string_view part) {
  if (phase_ != Phase::begun || client_gone_) co_return false;
  if (head_only_ || (answer_has_length_ && answer_left_ == 0)) part = {};
  if (answer_has_length_ && part.size() > answer_left_) {
    abort();  // more than announced: the client would take the rest for the next answer
    co_return false;
  }
  std::array<char, 24> size_line{};
  const bool framed = answer_in_chunks_ && !part.empty();
  const std::array<std::string_view, 3> rest = {
      framed ? chunk_head(size_line, part.size()) : std::string_view{}, part,
      framed ? std::string_view("\r\n") : std::string_view{}};
  Outgoing bytes(head_, rest);
  if (answer_has_length_) answer_left_ -= part.size();
  const bool sent = stream_.write(bytes) == IoStatus::done || co_await flush(bytes);
  head_.clear();
  co_return sent;
}

Async<bool> ServerConnection::finish() {
  if (phase_ != Phase::begun || client_gone_) co_return false;
  if (answer_left_ > 0) {
    abort();  // less than announced: never a clean end
    co_return false;
  }
  phase_ = Phase::answered;
  const std::array<std::string_view, 1> rest = {answer_in_chunks_ ? std::string_view("0\r\n\r\n")
                                                                  : std::string_view{}};
  Outgoing bytes(head_, rest);
  const bool sent = stream_.write(bytes) == IoStatus::done || co_await flush(bytes);
  head_.clear();
  co_return sent;
}

void ServerConnection::abort() {
  if (phase_ == Phase::cut) return;
  phase_ = Phase::cut;
  keep_alive_ = false;
  stream_.reset();
}

// The rest of what a write could not send at once.
Async<bool> ServerConnection::flush(Outgoing bytes) {
  std::int64_t waited_ns = 0;
  std::uint64_t sent = 0;
  while (true) {
    const std::size_t before = bytes.size();
    const IoStatus status = stream_.write(bytes);
    sent += before - bytes.size();
    if (status == IoStatus::done) break;
    if (status == IoStatus::ended || status == IoStatus::failed) co_return lost();
    const std::int64_t since_ns = stream_.loop().coarse_now_ns();
    stream_.set_deadline(stream_.loop().deadline_in(patience(waited_ns, sent)));
    if (stream_.failure() == StreamFailure::none) co_await stream_.ready_for(status);
    waited_ns += stream_.loop().coarse_now_ns() - since_ns;
    if (stream_.failure() != StreamFailure::none) co_return lost();
    if (!stream_.read_is_armed()) on_readable();
    if (client_gone_ || phase_ == Phase::cut) co_return false;
  }
  stream_.set_deadline(never_ns);
  co_return true;
}

// --- The client's end of the connection ----------------------------------------------------------

void ServerConnection::on_client_gone(std::function<void()> callback) {
  when_gone_ = std::move(callback);
  if (client_gone_ && when_gone_) std::exchange(when_gone_, nullptr)();
}

bool ServerConnection::lost() {
  if (std::exchange(client_gone_, true)) return false;
  keep_alive_ = false;
  if (when_gone_) std::exchange(when_gone_, nullptr)();
  return false;
}

void ServerConnection::on_readable() {
  if (!exchange_is_open()) return;
  switch (stream_.probe()) {
    case IoStatus::want_read:
    case IoStatus::want_write: stream_.arm_read(); break;
    // A part of the body, or of the next request: whether the client is still there behind it
    // shows in its hang-up alone.
    case IoStatus::done: stream_.watch_for_hang_up(); break;
    case IoStatus::ended:
    case IoStatus::failed: lost(); break;
  }
}

void ServerConnection::on_hang_up() {
  if (exchange_is_open()) lost();
}

}  // namespace understudy::net
