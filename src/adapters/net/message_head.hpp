// The heads of messages that we send, as text. What frames a message on its hop (Content-Length,
// Transfer-Encoding, Connection ...) is written by whoever sends it, never taken from the headers
// given; a header that would break out of its line is left out. Internal to adapters/net.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "adapters/net/http.hpp"

namespace understudy::net {

// "HTTP/1.1 200 OK\r\n"
void append_status_line(std::string& head, unsigned status);
// "POST /x HTTP/1.1\r\n"
void append_request_line(std::string& head, std::string_view method, std::string_view target);
void append_header(std::string& head, std::string_view name, std::string_view value);
void append_length(std::string& head, std::uint64_t bytes);
// Without what belongs to the hop.
void append_end_to_end(std::string& head, const Headers& headers);
// Also without Host and Expect.
void append_end_to_end_of_request(std::string& head, const Headers& headers);

bool is_token(std::string_view text);           // a method or a header's name
bool is_request_target(std::string_view text);  // no spaces, no controls
std::string_view chunk_head(std::span<char> into, std::size_t bytes);  // "1f\r\n"

}  // namespace understudy::net
