#include "adapters/net/message_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "adapters/net/message_parser.hpp"

namespace understudy::net {

namespace {

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return (c >= ' ' && c != 0x7f) || c == '\t'; });
}

bool frames_a_message(std::string_view name) {
  return same_name(name, "content-length") || is_hop_by_hop(name);
}

// A Connection header may declare further headers to be of this hop only.
bool names_more_of_the_hop(const Headers& headers) {
  const auto connection = headers.find("connection");
  return connection && !same_name(*connection, "keep-alive") && !same_name(*connection, "close");
}

void append_fields(std::string& head, const Headers& headers) {
  for (const Header header : headers.items()) {
    if (!frames_a_message(header.name)) append_header(head, header.name, header.value);
  }
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != ':' && c != '"' && c != ',' && c != ';';
  });
}

bool is_request_target(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

void append_status_line(std::string& head, unsigned status) {
  if (status == 200) {
    head += "HTTP/1.1 200 OK\r\n";
    return;
  }
  head += "HTTP/1.1 ";
  head += std::to_string(status);
  head += ' ';
  head += reason_phrase(status);
  head += "\r\n";
}

void append_request_line(std::string& head, std::string_view method, std::string_view target) {
  head += method;
  head += ' ';
  head += target;
  head += " HTTP/1.1\r\n";
}

void append_header(std::string& head, std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return;
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

void append_length(std::string& head, std::uint64_t bytes) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes).ptr;
  head += "Content-Length: ";
  head.append(digits.data(), end);
  head += "\r\n";
}

void append_end_to_end(std::string& head, const Headers& headers) {
  append_fields(head, names_more_of_the_hop(headers) ? headers.end_to_end() : headers);
}

void append_end_to_end_of_request(std::string& head, const Headers& headers) {
  if (names_more_of_the_hop(headers))
    return append_end_to_end_of_request(head, headers.end_to_end());
  for (const Header header : headers.items()) {
    if (!frames_a_message(header.name) && !same_name(header.name, "host") &&
        !same_name(header.name, "expect"))
      append_header(head, header.name, header.value);
  }
}

std::string_view chunk_head(std::span<char> into, std::size_t bytes) {
  const auto end = std::to_chars(into.data(), into.data() + into.size() - 2, bytes, 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  return {into.data(), static_cast<std::size_t>(end + 2 - into.data())};
}

}  // namespace understudy::net
