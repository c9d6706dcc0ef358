#include "mock_upstream.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "http_scan.hpp"

namespace load {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t counter_digits = 12;

std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

// Writes `value` over the digits at `place`: answers differ, their length does not.
void stamp(std::string& text, std::size_t place, std::uint64_t value,
           std::size_t digits = counter_digits) {
  for (std::size_t digit = digits; digit-- > 0; value /= 10)
    text[place + digit] = static_cast<char>('0' + value % 10);
}

// An answer with two counters in it: in its id and in its text.
struct Template {
  std::string text;
  std::array<std::size_t, 2> places{};
};

Template make_answer(std::size_t answer_bytes) {
  const std::string zeros(counter_digits, '0');
  std::string body = R"({"id":"chatcmpl-)" + zeros +
                     R"(","object":"chat.completion","created":1760000000,"model":"mock",)"
                     R"("choices":[{"index":0,"message":{"role":"assistant","content":"Answer )" +
                     zeros + ". ";
  const std::string tail =
      R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":210,"completion_tokens":160,"total_tokens":370}})";
  constexpr std::string_view words =
      "The order was found and the refund of the second item is on its way to the card; ";
  while (body.size() + tail.size() < answer_bytes)
    body += words.substr(0, answer_bytes - body.size() - tail.size());
  body += tail;
  Template answer;
  answer.text =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_mock\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  answer.places[0] = answer.text.find(zeros);
  answer.places[1] = answer.text.find(zeros, answer.places[0] + counter_digits);
  return answer;
}

std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  return std::string(size.data()) + std::string(data) + "\r\n";
}

class Connection;

class Upstream {
 public:
  explicit Upstream(const UpstreamOptions& options)
      : options_(options),
        answer_(make_answer(options.answer_bytes)),
        acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), options.port)),
        ticker_(io_),
        slots_(options.interval_ms) {}

  void run();
  const std::string& next_answer() {
    const std::uint64_t number = ++answers_;
    for (const std::size_t place : answer_.places) stamp(answer_.text, place, number);
    return answer_.text;
  }
  // From the next tick on, every interval: true while the connection has more to send.
  void pace(std::shared_ptr<Connection> connection) {
    slots_[tick_ % slots_.size()].push_back(std::move(connection));
  }
  [[nodiscard]] std::uint32_t deltas() const { return options_.deltas; }

 private:
  void accept();
  void wait_for_tick();
  void tick();

  const UpstreamOptions options_;
  Template answer_;
  std::uint64_t answers_ = 0;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer ticker_;
  std::uint64_t tick_ = 0;
  // One slot per millisecond of the interval; shared: a connection also lives in its pending read.
  std::vector<std::vector<std::shared_ptr<Connection>>> slots_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Upstream& upstream)
      : socket_(std::move(socket)), upstream_(upstream) {}

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (error) {
                                self->close();
                              } else {
                                self->received({self->buffer_.data(), size});
                              }
                            });
  }

  // The stream's next frame; false when it was the last or the client has gone.
  bool send_frame() {
    if (closed_) return false;
    // A client that does not read gets no more until it does: the frame is late, not lost.
    if (writing_) return true;
    std::string frame = R"(data: {"id":"chatcmpl-mock","object":"chat.completion.chunk","created":)"
                        R"(1760000000,"model":"mock","sent_ns":)" +
                        std::to_string(steady_ns()) + R"(,"choices":[{"index":0,"delta":)";
    const bool last = sent_ == upstream_.deltas();
    if (last) {
      frame += "{},\"finish_reason\":\"stop\"}]}\n\n";
      write(chunk(frame + "data: [DONE]\n\n") + "0\r\n\r\n");
    } else {
      frame += "{\"content\":\" word" + std::to_string(sent_) + "\"},\"finish_reason\":null}]}\n\n";
      write(chunk(frame));
    }
    ++sent_;
    return !last;
  }

 private:
  void received(std::string_view bytes) {
    // The usual case: one whole request in one read, nothing kept.
    if (pending_.empty()) {
      if (const auto length = request_length(bytes); length && *length == bytes.size()) {
        answer(bytes);
        return read();
      }
    }
    pending_ += bytes;
    while (const auto length = request_length(pending_)) {
      answer(std::string_view(pending_).substr(0, *length));
      pending_.erase(0, *length);
    }
    read();
  }

  void answer(std::string_view request) {
    if (request.find("\"stream\":true") == std::string_view::npos &&
        request.find("\"stream\": true") == std::string_view::npos) {
      return write(upstream_.next_answer());
    }
    sent_ = 0;
    write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    send_frame();
    upstream_.pace(shared_from_this());
  }

  void write(std::string_view bytes) {
    // Almost always the socket takes it all at once.
    if (!writing_) {
      error_code error;
      const std::size_t sent = socket_.write_some(asio::buffer(bytes), error);
      if (error && error != asio::error::would_block) return close();
      bytes.remove_prefix(error ? 0 : sent);
      if (bytes.empty()) return;
    }
    queued_ += bytes;
    if (!writing_) flush();
  }

  void flush() {
    writing_ = true;
    writing_bytes_.swap(queued_);
    queued_.clear();
    asio::async_write(socket_, asio::buffer(writing_bytes_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->writing_ = false;
                        if (error) return self->close();
                        if (!self->queued_.empty()) self->flush();
                      });
  }

  void close() {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
  }

  tcp::socket socket_;
  Upstream& upstream_;
  std::array<char, read_bytes> buffer_{};
  std::string pending_;
  std::string queued_;
  std::string writing_bytes_;
  std::uint32_t sent_ = 0;
  bool writing_ = false;
  bool closed_ = false;
};

void Upstream::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (!error) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      socket.non_blocking(true, ignored);
      std::make_shared<Connection>(std::move(socket), *this)->read();
    }
    if (acceptor_.is_open()) accept();
  });
}

void Upstream::wait_for_tick() {
  ticker_.async_wait([this](error_code error) {
    if (error) return;
    // A tick that came late is made up for, so that the mean pace holds under load.
    while (ticker_.expiry() <= std::chrono::steady_clock::now()) {
      tick();
      ticker_.expires_at(ticker_.expiry() + std::chrono::milliseconds(1));
    }
    wait_for_tick();
  });
}

void Upstream::tick() {
  auto& slot = slots_[++tick_ % slots_.size()];
  std::erase_if(slot, [](const auto& connection) { return !connection->send_frame(); });
}

void Upstream::run() {
  acceptor_.listen(4096);
  asio::signal_set signals(io_, SIGINT, SIGTERM);
  signals.async_wait([this](error_code, int) { io_.stop(); });
  if (!options_.port_file.empty()) {
    const std::string partial = options_.port_file + ".partial";
    std::ofstream(partial) << acceptor_.local_endpoint().port() << '\n';
    std::filesystem::rename(partial, options_.port_file);
  }
  accept();
  ticker_.expires_after(std::chrono::milliseconds(1));
  wait_for_tick();
  io_.run();
}

}  // namespace

int run_upstream(const UpstreamOptions& options) {
  try {
    Upstream(options).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "understudy-load upstream: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace load
