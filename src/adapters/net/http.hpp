// HTTP messages in our own words, for the server and the upstream client of this folder. Plain
// data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::net {

struct Header {
  std::string name;
  std::string value;
};

class Headers {
 public:
  void add(std::string name, std::string value) {
    items_.push_back({std::move(name), std::move(value)});
  }
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  void clear() { items_.clear(); }
  // The first value of that name, case-insensitive.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] const std::vector<Header>& items() const { return items_; }
  // What a relay passes on: without the headers of the hop, those that `Connection` names, and the
  // length, which belongs to the framing.
  [[nodiscard]] Headers end_to_end() const;

 private:
  std::vector<Header> items_;
};

bool same_name(std::string_view left, std::string_view right);    // ASCII case-insensitive
bool has_prefix(std::string_view name, std::string_view prefix);  // ASCII case-insensitive
// Connection, Transfer-Encoding and the like, which belong to one hop only (RFC 9110, 7.6.1).
bool is_hop_by_hop(std::string_view name);

struct HttpRequest {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
  std::string peer_address;
};

}  // namespace understudy::net
