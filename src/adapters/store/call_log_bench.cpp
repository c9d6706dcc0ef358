// What recording one call costs: CPU time of the I/O thread (try_append) and of the log's writer
// thread, for calls of 1, 2 and 8 KiB. Half of a call is request, half response; text as recorded
// agents have it (JSON around English with numbers), new in every call ("new"), or with a
// conversation of which all but the last message was sent before ("conversation"). Prints a table.
//
//   ./dev build --target call_log_bench && ./dev shell build/dev/bin/call_log_bench
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/segment_writer.hpp"
#include "base/check.hpp"
#include "base/ids.hpp"
#include "base/limits.hpp"

namespace {

using namespace understudy;

double cpu_seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// English-like text: 800 words, the frequent ones more often, some numbers.
std::string text(std::mt19937& random, std::size_t bytes) {
  static const std::vector<std::string> words = [] {
    std::mt19937 fixed(1);
    std::vector<std::string> made;
    for (int i = 0; i < 800; ++i) {
      std::string word;
      for (auto letters = 2 + fixed() % 8; letters > 0; --letters) {
        word += "etaoinshrdlucmfw"[fixed() % 16];
      }
      made.push_back(word);
    }
    return made;
  }();
  std::string made;
  while (made.size() < bytes) {
    const auto pick = random() % 1000;
    if (pick < 40) {
      made += std::to_string(random() % 100'000);
    } else {
      made += words[random() % (pick < 500 ? 60 : words.size())];
    }
    made += ' ';
  }
  made.resize(bytes);
  return made;
}

enum class Shape { all_new, conversation };

std::vector<Call> make_calls(Shape shape, std::size_t bytes, std::size_t count) {
  std::mt19937 random(7);
  const std::string earlier = R"({"role":"user","content":")" + text(random, bytes / 4) + "\"}";
  std::vector<Call> calls(count);
  for (Call& call : calls) {
    call.id = {make_uuid7()};
    call.session = {"s-0123456789abcdef"};
    call.parent = {make_uuid7()};
    call.source = "gateway";
    call.started_at = {1'764'000'000'000'000};
    call.first_byte_at = {1'764'000'000'200'000};
    call.ended_at = {1'764'000'000'900'000};
    call.upstream = "main";
    call.requested_model = "gpt-4o";
    call.served_model = "gpt-4o-2024-08-06";
    call.route.reason = "no_task";
    call.origin = {.tenant = "0123456789abcdef",
                   .user = "1123456789abcdef",
                   .key = "2123456789abcdef",
                   .address = "3123456789abcdef"};
    call.finish_reason = "stop";
    call.usage = {.prompt_tokens = 300, .completion_tokens = 120};
    std::string request = R"({"model":"gpt-4o","temperature":0,"messages":[)";
    if (shape == Shape::conversation) {
      call.repeated.push_back({.begin = request.size(), .bytes = earlier.size()});
      request += earlier + ",";
    }
    const std::size_t used = request.size() + 40;
    const std::string message = R"({"role":"user","content":")" +
                                text(random, bytes / 2 > used ? bytes / 2 - used : 40) + "\"}";
    call.repeated.push_back({.begin = request.size(), .bytes = message.size()});
    call.request = SecretText(request + message + "]}");
    call.response = SecretText(
        R"({"id":"chatcmpl-)" + make_uuid7() +
        R"(","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",)"
        R"("content":")" +
        text(random, bytes / 2 - 180) +
        R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":300,"completion_tokens":120}})");
  }
  return calls;
}

store::Home make_home(const std::filesystem::path& directory) {
  auto home = store::Home::open(directory).value();
  if (!std::filesystem::exists(home.keys() / "curator.pub")) {
    CHECK(crypto::init_keys(home.keys()).has_value(), "keys can be made");
  }
  return home;
}

// CPU of encoding, encrypting and write() alone.
void bench_segment(const store::Home& home, Shape shape, std::size_t bytes, bool compress) {
  constexpr std::size_t count = 4000;
  const std::vector<Call> calls = make_calls(shape, bytes, count);
  auto segment =
      store::SegmentWriter::create(home, store::segment_format::SegmentKind::calls).value();
  if (!compress) segment.set_compression_budget(0);
  const double before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  std::string metadata;
  for (const Call& call : calls) {
    CHECK(segment.append(store::view_of(call, metadata)).has_value(), "recorded");
    if (segment.buffered_bytes() > limits::log_write_bytes) CHECK(segment.write().has_value(), "");
  }
  CHECK(segment.write().has_value(), "written");
  const double used = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
  std::printf("%-13s %4zu KiB  %-12s encode %6.0f ns a call   %4.0f bytes a call on disk\n",
              shape == Shape::all_new ? "new" : "conversation", bytes / 1024,
              compress ? "compressed" : "as it is", used / count * 1e9,
              static_cast<double>(segment.bytes()) / count);
  CHECK(segment.close().has_value(), "closed");
}

// All of it: the caller's side, and what the process used beside it (the writer thread).
void bench_log(const store::Home& home, Shape shape, std::size_t bytes) {
  constexpr std::size_t count = 20'000;
  std::vector<Call> calls = make_calls(shape, bytes, count);
  auto log = store::CallLogWriter::open(home).value();
  const double process_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double thread_before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  double appending = 0;
  std::size_t at = 0;
  while (at < count) {  // paced like a busy gateway: about 20,000 calls a second
    const double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    std::size_t burst = 0;
    while (burst < 20 && at < count && log->try_append(calls[at])) {
      ++at;
      ++burst;
    }
    appending += cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(log->flush().has_value(), "on the disk");
  const double here = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - thread_before;
  const double writer = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process_before - here;
  std::printf("%-13s %4zu KiB  try_append %5.0f ns   writer thread %6.0f ns a call\n",
              shape == Shape::all_new ? "new" : "conversation", bytes / 1024,
              appending / count * 1e9, writer / count * 1e9);
}

}  // namespace

int main() {
  std::string name = "/tmp/understudy-bench-XXXXXX";
  CHECK(::mkdtemp(name.data()) != nullptr, "there is room in /tmp");
  const store::Home home = make_home(name);
  for (const Shape shape : {Shape::all_new, Shape::conversation}) {
    for (const std::size_t bytes : {1024u, 2048u, 8192u}) {
      for (const bool compress : {true, false}) bench_segment(home, shape, bytes, compress);
    }
  }
  for (const Shape shape : {Shape::all_new, Shape::conversation}) {
    for (const std::size_t bytes : {1024u, 2048u, 8192u}) bench_log(home, shape, bytes);
  }
  std::filesystem::remove_all(name);
  return 0;
}
