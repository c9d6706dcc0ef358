#include "adapters/net/http.hpp"

#include <algorithm>
#include <array>

namespace understudy::net {

namespace {

constexpr unsigned char lower(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 'A' && byte <= 'Z' ? static_cast<unsigned char>(byte + ('a' - 'A')) : byte;
}

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

Headers Headers::end_to_end() const {
  Headers kept;
  for (const Header& header : items_) {
    if (!is_hop_by_hop(header.name) && !same_name(header.name, "content-length"))
      kept.items_.push_back(header);
  }
  for (const Header& header : items_) {
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

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(items_, [name](const Header& header) { return same_name(header.name, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& header : items_) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

}  // namespace understudy::net
