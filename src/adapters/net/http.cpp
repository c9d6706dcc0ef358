#include "adapters/net/http.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"

namespace understudy::net {

namespace {

constexpr unsigned char lower(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 'A' && byte <= 'Z' ? static_cast<unsigned char>(byte + ('a' - 'A')) : byte;
}

constexpr std::size_t text_bytes_kept_max = 4 * limits::kibi;
// What most messages need: growing step by step would take five allocations each.
constexpr std::size_t text_bytes_usual = 512;
constexpr std::size_t headers_usual = 12;

constexpr std::array<std::string_view, 9> hop_by_hop_names = {"connection",
                                                              "keep-alive",
                                                              "proxy-authenticate",
                                                              "proxy-authorization",
                                                              "proxy-connection",
                                                              "te",
                                                              "trailer",
                                                              "transfer-encoding",
                                                              "upgrade"};

}  // namespace

bool same_name(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return same_name(name.substr(0, prefix.size()), prefix);
}

bool is_hop_by_hop(std::string_view name) {
  return std::ranges::any_of(hop_by_hop_names,
                             [name](std::string_view other) { return same_name(name, other); });
}

void Headers::add(std::string_view name, std::string_view value) {
  if (places_.capacity() == 0) {
    text_.reserve(text_bytes_usual);
    places_.reserve(headers_usual);
  }
  places_.push_back(
      {.begin = text_.size(), .name_bytes = name.size(), .value_bytes = value.size()});
  text_ += name;
  text_ += value;
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(places_, [&](const Place& place) { return same_name(at(place).name, name); });
}

void Headers::clear() {
  // A large head must not hold its memory for as long as its connection is open.
  if (text_.capacity() > text_bytes_kept_max) *this = Headers();
  text_.clear();
  places_.clear();
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header header : items()) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

Headers Headers::end_to_end() const {
  Headers kept;
  for (const Header header : items()) {
    if (!is_hop_by_hop(header.name) && !same_name(header.name, "content-length"))
      kept.add(header.name, header.value);
  }
  for (const Header header : items()) {
    if (!same_name(header.name, "connection")) continue;
    std::string_view names = header.value;
    while (!names.empty()) {
      const std::size_t comma = names.find(',');
      std::string_view name = names.substr(0, comma);
      while (name.starts_with(' ')) name.remove_prefix(1);
      while (name.ends_with(' ')) name.remove_suffix(1);
      kept.remove(name);
      names = comma == std::string_view::npos ? std::string_view{} : names.substr(comma + 1);
    }
  }
  return kept;
}

}  // namespace understudy::net
