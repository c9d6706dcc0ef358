#include <algorithm>
#include <array>

#include "adapters/crypto/sha256.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t url_bytes_max = 2048;
constexpr std::string_view base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t bitcoin_bytes = 25;  // version, 20 of the hash, 4 of the checksum

// Bitcoin's addresses: version byte, hash, the first four bytes of SHA-256 twice.
bool passes_base58_check(std::string_view text) {
  std::array<std::uint8_t, bitcoin_bytes> bytes{};
  for (const char c : text) {
    const std::size_t value = base58.find(c);
    if (value == std::string_view::npos) return false;
    auto carry = static_cast<unsigned>(value);
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
      carry += *byte * 58U;
      *byte = static_cast<std::uint8_t>(carry & 0xffU);
      carry >>= 8U;
    }
    if (carry != 0) return false;
  }
  const auto once = crypto::sha256(std::span(bytes).first(bitcoin_bytes - 4));
  const auto twice = crypto::sha256(once);
  return std::equal(bytes.end() - 4, bytes.end(), twice.begin());
}

// BIP 173 and 350.
bool passes_bech32(std::string_view text) {
  constexpr std::string_view letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  constexpr std::array<std::uint32_t, 5> generator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                      0x3d4233dd, 0x2a1462b3};
  std::uint32_t check = 1;
  const auto feed = [&](std::uint32_t value) {
    const std::uint32_t top = check >> 25U;
    check = ((check & 0x1ffffffU) << 5U) ^ value;
    for (unsigned i = 0; i < 5; ++i) check ^= (top >> i & 1U) != 0 ? generator[i] : 0U;
  };
  for (const char c : std::string_view("bc")) feed(static_cast<std::uint32_t>(c) >> 5U);
  feed(0);
  for (const char c : std::string_view("bc")) feed(static_cast<std::uint32_t>(c) & 31U);
  for (const char c : text.substr(3)) {
    const std::size_t value = letters.find(to_lower(c));
    if (value == std::string_view::npos) return false;
    feed(static_cast<std::uint32_t>(value));
  }
  return check == 1 || check == 0x2bc830a3;
}

bool is_ethereum(std::string_view word) {
  return word.size() == 42 && word.starts_with("0x") &&
         std::ranges::all_of(word.substr(2), is_hex) &&
         std::ranges::any_of(word.substr(2), is_letter);
}

bool is_host_byte(char c) { return is_alnum(c) || c == '.' || c == '-'; }

bool is_url_byte(char c) {
  return is_alnum(c) || std::string_view("-._~:/?#[]@!$&*+,;=%").contains(c) || (c & '\x80') != 0;
}

std::size_t count_in(std::string_view text, std::size_t at, std::size_t max) {
  std::size_t end = at;
  while (end < text.size() && end - at <= max &&
         (is_alnum(text[end]) || text[end] == '_' || text[end] == '-'))
    ++end;
  return end - at;
}

}  // namespace

std::optional<Entity> find_crypto_address(std::string_view text, Place word) {
  const std::string_view address = text.substr(word.begin, word.end - word.begin);
  double score = 0;
  if (address.size() >= 26 && address.size() <= 35 && (address[0] == '1' || address[0] == '3'))
    score = passes_base58_check(address) ? 1 : 0;
  if (address.size() >= 42 && address.size() <= 62 && lower_ascii(address.substr(0, 3)) == "bc1")
    score = passes_bech32(address) ? 1 : 0;
  if (is_ethereum(address)) score = 0.7;  // transactions and hashes are longer
  if (score == 0) return std::nullopt;
  return Entity{.type = EntityType::crypto,
                .begin = word.begin,
                .end = word.end,
                .value = std::string(address),
                .score = score};
}

std::optional<Entity> find_bot_token(std::string_view text, Place word) {
  const std::size_t id_bytes = count_in(text, word.begin, 30);
  const std::size_t id_end = word.begin + id_bytes;
  if (id_bytes < 24 || id_bytes > 26 || !std::string_view("MNO").contains(text[word.begin]) ||
      id_end >= text.size() || text[id_end] != '.')
    return std::nullopt;
  if (word.begin > 0 && text[word.begin - 1] == '-') return std::nullopt;
  const std::size_t time_bytes = count_in(text, id_end + 1, 8);
  const std::size_t mac = id_end + time_bytes + 2;
  if (time_bytes != 6 || mac >= text.size() || text[mac - 1] != '.') return std::nullopt;
  const std::size_t mac_bytes = count_in(text, mac, 40);
  if (mac_bytes < 27 || mac_bytes > 38) return std::nullopt;
  const std::string_view token = text.substr(word.begin, mac + mac_bytes - word.begin);
  return Entity{.type = EntityType::secret,
                .begin = word.begin,
                .end = mac + mac_bytes,
                .value = std::string(token),
                .kind = "discord_bot_token"};
}

std::optional<Entity> find_url(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  std::size_t host = at + 1;
  if (text[at] == ':') {
    while (begin > 0 && is_letter(text[begin - 1])) --begin;
    const std::string scheme = lower_ascii(text.substr(begin, at - begin));
    if (scheme != "http" && scheme != "https" && scheme != "ftp" && scheme != "wss")
      return std::nullopt;
    host = at + 3;
  } else {
    begin = at - 3;
    if (begin > 0 && (is_alnum(text[begin - 1]) || text[begin - 1] == '/')) return std::nullopt;
  }
  std::size_t end = host;
  while (end < text.size() && end - begin < url_bytes_max && is_host_byte(text[end])) ++end;
  std::string_view name = text.substr(host, end - host);
  while (name.ends_with('.')) name.remove_suffix(1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot < 3 ||
      !std::ranges::all_of(name.substr(dot + 1), is_letter))
    return std::nullopt;
  if (end < text.size() && (text[end] == '/' || text[end] == ':' || text[end] == '?')) {
    while (end < text.size() && end - begin < url_bytes_max && is_url_byte(text[end])) ++end;
  }
  while (end > host && std::string_view(".,;:!?]&*").contains(text[end - 1])) --end;
  return Entity{.type = EntityType::url,
                .begin = begin,
                .end = end,
                .value = std::string(text.substr(begin, end - begin)),
                .score = 0.6};
}

}  // namespace understudy::s2
