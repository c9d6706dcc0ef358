#include "stream_client.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "http_scan.hpp"

namespace load {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using boost::system::error_code;

std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

class Samples {
 public:
  void add(std::int64_t ns) { values_.push_back(static_cast<float>(ns) / 1000.F); }
  json::object summary() {
    std::ranges::sort(values_);
    return {{"count", values_.size()}, {"p50_us", at(0.5)},    {"p90_us", at(0.9)},
            {"p99_us", at(0.99)},      {"p999_us", at(0.999)}, {"max_us", at(1)}};
  }

 private:
  [[nodiscard]] double at(double share) const {
    if (values_.empty()) return 0;
    const auto last = static_cast<double>(values_.size() - 1);
    return static_cast<double>(values_[static_cast<std::size_t>(share * last)]);
  }
  std::vector<float> values_;  // microseconds; kept whole, so that percentiles are exact
};

struct Totals {
  std::size_t streams = 0, whole = 0, frames = 0, refused = 0, cut = 0, errors = 0;
  Samples first_frame, gaps, under_way;
  std::string first_problem;
  void problem(const std::string& text) {
    if (first_problem.empty()) first_problem = text;
  }
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(asio::io_context& io, const StreamOptions& options, Totals& totals, std::size_t number)
      : options_(options), totals_(totals), socket_(io), timer_(io), number_(number) {}

  void start(std::chrono::microseconds delay) {
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this()](error_code) { self->connect(); });
  }

 private:
  void connect() {
    socket_ = tcp::socket(timer_.get_executor());
    socket_.async_connect({asio::ip::address_v4::loopback(), options_.port},
                          [self = shared_from_this()](error_code error) {
                            if (error) return self->failed("connect", error);
                            error_code ignored;
                            self->socket_.set_option(tcp::no_delay(true), ignored);
                            self->request();
                          });
  }

  void request() {
    if (streams_ == options_.streams) return;
    ++streams_;
    ++totals_.streams;
    reader_ = {};
    body_.clear();
    scanned_ = 0;
    frames_ = 0;
    done_ = error_seen_ = false;
    // Every request differs in its last message, behind a system prompt that all share.
    const std::string text =
        R"({"model":"mock","stream":true,"messages":[{"role":"system","content":")" +
        std::string(600, 's') + R"("},{"role":"user","content":"Stream )" +
        std::to_string(number_) + '/' + std::to_string(streams_) + R"("}]})";
    request_ = "POST " + options_.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + options_.headers +
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) +
               "\r\n\r\n" + text;
    requested_ns_ = steady_ns();
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->failed("write", error);
                        self->read();
                      });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (error) return self->failed("read", error);
                              self->received({self->buffer_.data(), size});
                            });
  }

  void received(std::string_view bytes) {
    const std::int64_t now = steady_ns();
    reader_.feed(bytes, body_);
    if (reader_.status() != 0 && reader_.status() != 200) {
      ++totals_.refused;
      totals_.problem("status " + std::to_string(reader_.status()) + ": " + body_.substr(0, 200));
      return;
    }
    scan(now);
    if (!reader_.ended()) return read();
    totals_.frames += frames_;
    const bool whole = done_ && frames_ == options_.deltas && !error_seen_ && !reader_.broken();
    totals_.whole += whole ? 1 : 0;
    if (!whole) {
      ++totals_.errors;
      totals_.problem("a stream ended after " + std::to_string(frames_) + " frames");
    }
    request();
  }

  void scan(std::int64_t now) {
    for (;;) {
      const std::size_t end = body_.find("\n\n", scanned_);
      if (end == std::string::npos) break;
      const std::string_view event = std::string_view(body_).substr(scanned_, end - scanned_);
      scanned_ = end + 2;
      if (event.starts_with("data: [DONE]")) {
        done_ = true;
      } else if (event.find("\"content\":\"") != std::string_view::npos) {
        count_frame(event, now);
      } else if (event.find("\"error\"") != std::string_view::npos) {
        error_seen_ = true;
      }
    }
    body_.erase(0, scanned_);
    scanned_ = 0;
  }

  void count_frame(std::string_view event, std::int64_t now) {
    if (frames_++ == 0) {
      totals_.first_frame.add(now - requested_ns_);
    } else {
      totals_.gaps.add(now - last_frame_ns_);
    }
    last_frame_ns_ = now;
    constexpr std::string_view key = "\"sent_ns\":";
    if (const std::size_t place = event.find(key); place != std::string_view::npos) {
      std::int64_t sent = 0;
      std::from_chars(event.data() + place + key.size(), event.data() + event.size(), sent);
      totals_.under_way.add(now - sent);
    }
  }

  void failed(std::string_view what, error_code error) {
    ++totals_.cut;
    totals_.frames += frames_;
    totals_.problem(std::string(what) + ": " + error.message());
  }

  const StreamOptions& options_;
  Totals& totals_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::size_t number_;
  std::size_t streams_ = 0;
  std::array<char, 8192> buffer_{};
  std::string request_;
  AnswerReader reader_;
  std::string body_;
  std::size_t scanned_ = 0;
  std::uint32_t frames_ = 0;
  bool done_ = false;
  bool error_seen_ = false;
  std::int64_t requested_ns_ = 0;
  std::int64_t last_frame_ns_ = 0;
};

}  // namespace

int run_streams(const StreamOptions& options) {
  asio::io_context io{1};
  Totals totals;
  for (std::size_t number = 0; number < options.connections; ++number) {
    const auto delay = std::chrono::microseconds(std::uint64_t{options.start_ms} * 1000 * number /
                                                 options.connections);
    std::make_shared<Client>(io, options, totals, number)->start(delay);
  }
  const std::int64_t started = steady_ns();
  io.run_for(std::chrono::seconds(options.timeout_s));
  const std::size_t wanted = options.connections * options.streams;
  const json::object result = {
      {"connections", options.connections},
      {"streams", wanted},
      {"whole", totals.whole},
      {"frames", totals.frames},
      {"frames_lost", wanted * options.deltas - std::min(totals.frames, wanted * options.deltas)},
      {"refused", totals.refused},
      {"cut", totals.cut},
      {"not_whole", totals.errors},
      {"first_problem", totals.first_problem},
      {"first_frame", totals.first_frame.summary()},
      {"gap", totals.gaps.summary()},
      {"under_way", totals.under_way.summary()},
      {"seconds", static_cast<double>(steady_ns() - started) / 1e9}};
  std::cout << json::serialize(result) << std::endl;
  return totals.whole == wanted ? 0 : 1;
}

}  // namespace load
