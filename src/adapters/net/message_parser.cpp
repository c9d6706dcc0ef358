#include "adapters/net/message_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include "base/limits.hpp"

namespace understudy::net {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

// What requests and answers have in common: fields into Headers, body bytes into a string.
template <bool is_request>
class Parser : public http::basic_parser<is_request> {
 public:
  explicit Parser(Headers& headers) : headers_(headers) {
    this->header_limit(static_cast<std::uint32_t>(limits::header_bytes_max));
    this->body_limit(boost::none);
  }

  ParseResult parse(std::string_view bytes) {
    error_code error;
    const std::size_t consumed =
        this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (!error) return {ParseStatus::done, consumed};
    if (error == http::error::need_more) return {ParseStatus::need_more, consumed};
    return {error == http::error::header_limit ? ParseStatus::too_large : ParseStatus::bad,
            consumed};
  }

  ParseResult parse_head(std::string_view bytes) {
    if (bytes.empty()) return {};
    const ParseResult result = parse(bytes);
    if (result.status != ParseStatus::need_more && result.status != ParseStatus::done)
      return result;
    if (has_folded_line(bytes.substr(0, result.consumed)) || framing_is_ambiguous_)
      return {ParseStatus::bad, result.consumed};
    return result;
  }

  ParseResult parse_body(std::string_view bytes, std::string& into) {
    body_ = &into;
    std::size_t consumed = 0;
    ParseResult result;
    while (!this->is_done() && consumed < bytes.size()) {
      result = parse(bytes.substr(consumed));
      consumed += result.consumed;
      if (result.status != ParseStatus::done) break;
    }
    if (this->is_done())
      result.status = ParseStatus::done;
    else if (result.status == ParseStatus::done)
      result.status = ParseStatus::need_more;
    return {result.status, consumed};
  }

  std::optional<std::uint64_t> announced_length() const {
    const auto length = this->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
  }

  bool expects_continue() const { return expects_continue_; }
  bool has_host() const { return hosts_ > 0; }
  bool is_http_1_0() const { return version_ == 10; }
  unsigned status() const { return status_; }

 private:
  // A line that continues the one before it (obs-fold): Beast joins them, other readers do not.
  static bool has_folded_line(std::string_view head) {
    for (std::size_t at = head.find('\n'); at != std::string_view::npos && at + 1 < head.size();
         at = head.find('\n', at + 1)) {
      if (head[at + 1] == ' ' || head[at + 1] == '\t') return true;
    }
    return false;
  }

  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code&) override {
    version_ = version;
    take_start_line(method, target);
  }
  void on_response_impl(int code, beast::string_view, int version, error_code&) override {
    version_ = version;
    status_ = static_cast<unsigned>(code);
  }
  void on_field_impl(http::field name, beast::string_view name_text, beast::string_view value,
                     error_code&) override {
    if (name == http::field::content_length) {
      framing_is_ambiguous_ |= ++lengths_ > 1 || value.find(',') != value.npos;
    } else if (name == http::field::host) {
      framing_is_ambiguous_ |= ++hosts_ > 1 && is_request;
    } else if (name == http::field::expect) {
      expects_continue_ = same_name({value.data(), value.size()}, "100-continue");
    }
    headers_.add({name_text.data(), name_text.size()}, {value.data(), value.size()});
  }
  void on_trailer_field_impl(http::field, beast::string_view, beast::string_view,
                             error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view part, error_code&) override {
    body_->append(part.data(), part.size());
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code&) override {
    body_->append(part.data(), part.size());
    return part.size();
  }
  void on_finish_impl(error_code&) override {}

 protected:
  virtual void take_start_line(beast::string_view, beast::string_view) {}

 private:
  Headers& headers_;
  std::string* body_ = nullptr;
  unsigned status_ = 0;
  int version_ = 11;
  int lengths_ = 0;
  int hosts_ = 0;
  bool framing_is_ambiguous_ = false;
  bool expects_continue_ = false;
};

class RequestMessage final : public Parser<true> {
 public:
  explicit RequestMessage(HttpRequest& request) : Parser(request.headers), request_(request) {}

 private:
  void take_start_line(beast::string_view method, beast::string_view target) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
  }
  HttpRequest& request_;
};

}  // namespace

struct RequestParser::State {
  std::optional<RequestMessage> message;
};

RequestParser::RequestParser() : state_(std::make_unique<State>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::start(HttpRequest& request) { state_->message.emplace(request); }

ParseResult RequestParser::parse_head(std::string_view bytes) {
  const ParseResult result = state_->message->parse_head(bytes);
  // RFC 9112, 3.2: such a request must be refused.
  if (result.status == ParseStatus::done && !is_http_1_0() && !state_->message->has_host())
    return {ParseStatus::bad, result.consumed};
  return result;
}

ParseResult RequestParser::parse_body(std::string_view bytes, std::string& into) {
  return state_->message->parse_body(bytes, into);
}

bool RequestParser::begun() const { return state_->message->got_some(); }
bool RequestParser::has_body() const {
  return state_->message->chunked() || state_->message->announced_length().value_or(0) > 0;
}
bool RequestParser::body_is_done() const { return state_->message->is_done(); }
std::optional<std::uint64_t> RequestParser::content_length() const {
  return state_->message->announced_length();
}
bool RequestParser::keep_alive() const { return state_->message->keep_alive(); }
bool RequestParser::is_http_1_0() const { return state_->message->is_http_1_0(); }
bool RequestParser::expects_continue() const { return state_->message->expects_continue(); }

struct ResponseParser::State {
  std::optional<Parser<false>> message;
};

ResponseParser::ResponseParser() : state_(std::make_unique<State>()) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::start(Headers& headers, Body body) {
  state_->message.emplace(headers);
  state_->message->skip(body == Body::none);
}
ParseResult ResponseParser::parse_head(std::string_view bytes) {
  return state_->message->parse_head(bytes);
}
ParseResult ResponseParser::parse_body(std::string_view bytes, std::string& into) {
  return state_->message->parse_body(bytes, into);
}
ParseStatus ResponseParser::end_of_stream() {
  if (!state_->message->got_some()) return ParseStatus::bad;
  error_code error;
  state_->message->put_eof(error);
  return error ? ParseStatus::bad : ParseStatus::done;
}

unsigned ResponseParser::status() const { return state_->message->status(); }
bool ResponseParser::body_is_done() const { return state_->message->is_done(); }
bool ResponseParser::keep_alive() const { return state_->message->keep_alive(); }
std::optional<std::uint64_t> ResponseParser::content_length() const {
  return state_->message->announced_length();
}

std::string_view reason_phrase(unsigned status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  return {reason.data(), reason.size()};
}

}  // namespace understudy::net
