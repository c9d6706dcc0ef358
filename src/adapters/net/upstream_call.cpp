#include <algorithm>
#include <array>
#include <utility>

#include "adapters/net/message_head.hpp"
#include "adapters/net/upstream.hpp"
#include "adapters/net/upstream_connection.hpp"
#include "base/limits.hpp"

namespace understudy::net {

class UpstreamCall::Attempt {
 public:
  Attempt(UpstreamState& to, const Deadlines& within)
      : upstream(to), deadlines(within), loop(IoLoop::current()) {
    if (deadlines.total.count() > 0) total_deadline_ns = loop.deadline_in(deadlines.total);
  }

  enum class Phase { fresh, sending, answering, finished };
  enum class Head { incomplete, complete, bad };

  UpstreamState& upstream;
  Deadlines deadlines;
  IoLoop& loop;
  std::unique_ptr<UpstreamConnection> connection;
  Headers headers;
  std::string head;  // of the request
  std::int64_t total_deadline_ns = never_ns;
  std::uint64_t body_left = 0;  // of a streamed request with a length
  ResponseParser::Body expected = ResponseParser::Body::as_announced;
  Phase phase = Phase::fresh;
  unsigned status = 0;
  std::optional<std::uint64_t> length;
  int interim_answers = 0;
  bool in_chunks = false;  // a streamed request's body
  bool sent = false;       // the whole request
  bool seen = false;       // a byte of an answer
  bool head_done = false;  // the answer's
  bool is_cancelled = false;

  SocketStream& stream() { return connection->stream; }
  void allow(std::chrono::milliseconds time) {
    stream().set_deadline(std::min(total_deadline_ns, loop.deadline_in(time)));
  }

  Result<void> make_head(std::string_view method, std::string_view path, const Headers& given);
  void start_answer();
  Async<Result<void>> connect();
  Head parse_head();
  Async<IoStatus> push(Outgoing& bytes);
  Async<Result<void>> await_head();
  void finish();
  std::unexpected<Error> broken(std::string_view why, std::string_view late);
};

Result<void> UpstreamCall::Attempt::make_head(std::string_view method, std::string_view path,
                                              const Headers& given) {
  if (!is_token(method) || !path.starts_with('/') || !is_request_target(path))
    return fail(ErrorCode::invalid_input,
                "this method or path cannot be sent to " + upstream.base_url);
  if (method == "HEAD") expected = ResponseParser::Body::none;
  head.reserve(512);
  head += method;
  head += ' ';
  head += upstream.target_prefix;
  head += path;
  head += " HTTP/1.1\r\n";
  head += upstream.host_header;
  if (upstream.proxy && !upstream.url.secure) head += upstream.proxy_header;
  append_end_to_end_of_request(head, given);
  return {};
}

void UpstreamCall::Attempt::start_answer() {
  headers.clear();
  seen = head_done = sent = false;
  connection->parser.start(headers, expected);
}

// The reason that counts: a call that was cancelled or came too late fails for that.
std::unexpected<Error> UpstreamCall::Attempt::broken(std::string_view why, std::string_view late) {
  const StreamFailure failure = connection ? stream().failure() : StreamFailure::none;
  connection.reset();
  if (is_cancelled || failure == StreamFailure::cancelled) return fail(upstream.cancelled());
  if (failure == StreamFailure::timeout) {
    const bool total = loop.coarse_now_ns() >= total_deadline_ns;
    return fail(upstream.timed_out(total ? "the whole call took too long" : late));
  }
  return fail(upstream.unreachable(why));
}

Async<Result<void>> UpstreamCall::Attempt::connect() {
  connection = std::make_unique<UpstreamConnection>(loop);
  allow(deadlines.connect);
  auto opened = co_await open_connection(upstream, *connection);
  if (!opened) connection.reset();
  co_return opened;
}

// What is there of the answer's head; interim answers are skipped.
UpstreamCall::Attempt::Head UpstreamCall::Attempt::parse_head() {
  while (!head_done && !stream().unread().empty()) {
    seen = true;
    const ParseResult result = connection->parser.parse_head(stream().unread());
    stream().consume(result.consumed);
    if (result.status == ParseStatus::need_more) break;
    if (result.status != ParseStatus::done) return Head::bad;
    const unsigned code = connection->parser.status();
    if (code >= 200) {
      head_done = true;
      break;
    }
    if (code == 101 || ++interim_answers > limits::interim_answers_max) return Head::bad;
    headers.clear();
    connection->parser.start(headers, expected);
  }
  stream().settle();
  return head_done ? Head::complete : Head::incomplete;
}

// Writes the rest. An answer that comes first ends the writing: the upstream wants no more of it.
Async<IoStatus> UpstreamCall::Attempt::push(Outgoing& bytes) {
  while (true) {
    const IoStatus written = stream().write(bytes);
    if (written == IoStatus::done || written == IoStatus::failed) co_return written;
    allow(deadlines.idle);
    if (stream().failure() != StreamFailure::none) co_return IoStatus::failed;
    stream().arm_read();
    co_await stream().ready_for(written);
    while (!stream().read_is_armed()) {
      const IoStatus came = stream().fill().status;
      if (came == IoStatus::done && parse_head() == Head::incomplete) continue;
      stream().settle();
      if (came == IoStatus::want_read) break;
      co_return came;
    }
  }
}

Async<Result<void>> UpstreamCall::Attempt::await_head() {
  constexpr std::string_view late = "no answer in time";
  allow(deadlines.first_byte);
  while (!head_done) {
    const IoStatus came = stream().is_surely_empty() ? IoStatus::want_read : stream().fill().status;
    if (came == IoStatus::done) {
      if (parse_head() == Head::bad)
        co_return broken("it sent something that is no HTTP answer", late);
      continue;
    }
    if (came == IoStatus::ended || came == IoStatus::failed)
      co_return broken("it closed the connection without an answer", late);
    if (stream().failure() == StreamFailure::none) co_await stream().ready_for(came);
    if (stream().failure() != StreamFailure::none) co_return broken("", late);
  }
  phase = Phase::answering;
  status = connection->parser.status();
  length = connection->parser.content_length();
  if (connection->parser.body_is_done()) finish();
  co_return Result<void>{};
}

// The clean end of the answer: the connection may serve again.
void UpstreamCall::Attempt::finish() {
  phase = Phase::finished;
  const bool reusable = sent && connection->parser.keep_alive() && stream().unread().empty() &&
                        stream().failure() == StreamFailure::none;
  auto done = std::move(connection);
  if (reusable) upstream.pool(loop).give(std::move(done));
}

UpstreamCall::UpstreamCall(Upstream& upstream, const Deadlines& deadlines)
    : attempt_(std::make_unique<Attempt>(*upstream.state_, deadlines)) {}
UpstreamCall::~UpstreamCall() = default;

Async<Result<void>> UpstreamCall::send(std::string_view method, std::string_view path,
                                       const Headers& headers,
                                       std::span<const std::string_view> body) {
  Attempt& attempt = *attempt_;
  if (attempt.is_cancelled) co_return fail(attempt.upstream.cancelled());
  if (auto made = attempt.make_head(method, path, headers); !made) co_return made;
  std::uint64_t body_bytes = 0;
  for (const std::string_view part : body) body_bytes += part.size();
  if (body_bytes > 0 || (method != "GET" && method != "HEAD"))
    append_length(attempt.head, body_bytes);
  attempt.head += "\r\n";
  for (bool fresh = false;; fresh = true) {
    if (!fresh) attempt.connection = attempt.upstream.pool(attempt.loop).take();
    const bool reused = attempt.connection != nullptr;
    if (!reused) {
      if (auto connected = co_await attempt.connect(); !connected) co_return connected;
    }
    attempt.phase = Attempt::Phase::sending;
    attempt.start_answer();
    Outgoing bytes(attempt.head, body);
    // A failure to write shows in the answer's absence; an answer may be there nonetheless.
    if (const IoStatus status = attempt.stream().write(bytes);
        status == IoStatus::want_write || status == IoStatus::want_read)
      co_await attempt.push(bytes);
    attempt.sent = bytes.done();
    auto answered = co_await attempt.await_head();
    if (answered || !reused || attempt.seen || attempt.is_cancelled ||
        answered.error().code != ErrorCode::unavailable)
      co_return answered;
  }
}

Async<Result<void>> UpstreamCall::begin_send(std::string_view method, std::string_view path,
                                             const Headers& headers,
                                             std::optional<std::uint64_t> content_length) {
  Attempt& attempt = *attempt_;
  if (attempt.is_cancelled) co_return fail(attempt.upstream.cancelled());
  if (auto made = attempt.make_head(method, path, headers); !made) co_return made;
  attempt.in_chunks = !content_length;
  attempt.body_left = content_length.value_or(0);
  if (content_length) append_length(attempt.head, *content_length);
  if (!content_length) attempt.head += "Transfer-Encoding: chunked\r\n";
  attempt.head += "\r\n";
  if (auto connected = co_await attempt.connect(); !connected) co_return connected;
  attempt.phase = Attempt::Phase::sending;
  attempt.start_answer();
  Outgoing bytes(attempt.head);
  co_await attempt.push(bytes);
  co_return Result<void>{};
}

Async<Result<void>> UpstreamCall::write_body(std::string_view part) {
  Attempt& attempt = *attempt_;
  if (!attempt.connection || attempt.phase != Attempt::Phase::sending)
    co_return fail(attempt.upstream.cancelled());
  if (part.empty() || attempt.head_done) co_return Result<void>{};
  if (!attempt.in_chunks && part.size() > attempt.body_left)
    co_return fail(ErrorCode::invalid_input, "more of a request's body than was announced");
  if (!attempt.in_chunks) attempt.body_left -= part.size();
  std::array<char, 24> size_line{};
  const std::array<std::string_view, 2> rest = {
      part, attempt.in_chunks ? std::string_view("\r\n") : std::string_view{}};
  Outgoing bytes(attempt.in_chunks ? chunk_head(size_line, part.size()) : std::string_view{}, rest);
  co_await attempt.push(bytes);
  if (attempt.stream().failure() != StreamFailure::none)
    co_return attempt.broken("", "it does not take the request's body");
  // Another failure shows in finish_send(), where an answer that came before it counts.
  co_return Result<void>{};
}

Async<Result<void>> UpstreamCall::finish_send() {
  Attempt& attempt = *attempt_;
  if (!attempt.connection || attempt.phase != Attempt::Phase::sending)
    co_return fail(attempt.upstream.cancelled());
  if (!attempt.head_done && attempt.body_left > 0) {
    attempt.connection.reset();
    co_return fail(ErrorCode::invalid_input, "less of a request's body than was announced");
  }
  if (!attempt.head_done) {
    Outgoing bytes(attempt.in_chunks ? std::string_view("0\r\n\r\n") : std::string_view{});
    co_await attempt.push(bytes);
    attempt.sent = bytes.done();
  }
  co_return co_await attempt.await_head();
}

unsigned UpstreamCall::status() const { return attempt_->status; }
const Headers& UpstreamCall::headers() const { return attempt_->headers; }
std::optional<std::uint64_t> UpstreamCall::content_length() const { return attempt_->length; }
bool UpstreamCall::finished() const { return attempt_->phase == Attempt::Phase::finished; }

Async<Result<std::string>> UpstreamCall::read() {
  constexpr std::string_view late = "its answer stalled";
  constexpr std::string_view cut = "it cut its answer";
  Attempt& attempt = *attempt_;
  if (attempt.phase == Attempt::Phase::finished) co_return std::string{};
  if (!attempt.connection || attempt.phase != Attempt::Phase::answering)
    co_return attempt.broken(cut, late);
  SocketStream& stream = attempt.stream();
  ResponseParser& parser = attempt.connection->parser;
  std::string part;
  attempt.allow(attempt.deadlines.idle);
  while (true) {
    const ParseResult result = parser.parse_body(stream.unread(), part);
    stream.consume(result.consumed);
    if (result.status == ParseStatus::bad || result.status == ParseStatus::too_large)
      co_return attempt.broken("it framed its answer badly", late);
    if (parser.body_is_done()) {
      attempt.finish();
      co_return part;
    }
    if (!part.empty()) {
      stream.settle();
      co_return part;
    }
    const IoStatus status = stream.is_surely_empty() ? IoStatus::want_read : stream.fill().status;
    if (status == IoStatus::done) continue;
    if (status == IoStatus::ended && parser.end_of_stream() == ParseStatus::done) {
      attempt.finish();
      co_return std::string{};
    }
    if (status == IoStatus::ended || status == IoStatus::failed)
      co_return attempt.broken(cut, late);
    stream.settle();
    if (stream.failure() == StreamFailure::none) co_await stream.ready_for(status);
    if (stream.failure() != StreamFailure::none) co_return attempt.broken(cut, late);
  }
}

void UpstreamCall::cancel() {
  Attempt& attempt = *attempt_;
  if (std::exchange(attempt.is_cancelled, true) || !attempt.connection) return;
  attempt.stream().cancel();
  attempt.stream().close();
}

}  // namespace understudy::net
