// HTTP messages in our own words, for the server and the upstream client of this folder. Plain
// data.
#pragma once

#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::net {

struct Header {
  std::string_view name;
  std::string_view value;
};

// In one block of text: a message has some ten headers, and a relay copies them three times. Views
// of them last until the next change, and are nothing to add to the same headers.
class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void clear();
  // The first value of that name, case-insensitive.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  // In their order, each as a Header.
  [[nodiscard]] auto items() const {
    return places_ | std::views::transform([this](const Place& place) { return at(place); });
  }
  // What a relay passes on: without the headers of the hop, those that `Connection` names, and the
  // length, which belongs to the framing.
  [[nodiscard]] Headers end_to_end() const;

 private:
  struct Place {
    std::size_t begin = 0;
    std::size_t name_bytes = 0;
    std::size_t value_bytes = 0;
  };
  [[nodiscard]] Header at(const Place& place) const {
    const std::string_view text(text_);
    return {.name = text.substr(place.begin, place.name_bytes),
            .value = text.substr(place.begin + place.name_bytes, place.value_bytes)};
  }

  std::string text_;  // names and values; those of removed headers stay
  std::vector<Place> places_;
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
