#include "steps/s2_curate/surrogate/surrogate_forms.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/ip_address.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint32_t attempts_same_length = 64;
constexpr std::size_t phone_digits_kept = 2;  // the kind of line and the region, roughly

// Letters by how often names use them, vowels for vowels: a surrogate is cut into tokens as a name
// is.
constexpr std::string_view vowels = "aaaeeeeiioou";
constexpr std::string_view consonants = "bbccddfghhjkkllllmmmnnnnnpprrrrrssssttttvwyz";
constexpr std::string_view latin_letters = "äöüéèáóíñçøå";  // two bytes each

// Domains that thousands share, or nobody: they identify no one and models may know them.
constexpr auto shared_domains = std::to_array<std::string_view>(
    {"aol.com", "example.com", "example.net", "example.org", "gmail.com", "gmx.de",
     "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mail.com", "mail.ru",
     "outlook.com", "proton.me", "protonmail.com", "qq.com", "web.de", "yahoo.com", "163.com"});

constexpr bool is_vowel(char lower) { return std::string_view("aeiou").contains(lower); }

char stand_in_one(char c, KeyedStream& stream) {
  if (is_digit(c)) return stream.one_of("0123456789");
  if (!is_letter(c)) return c;
  const char lower = to_lower(c);
  const char drawn = stream.one_of(is_vowel(lower) ? vowels : consonants);
  return is_upper(c) ? to_upper(drawn) : drawn;
}

// Bytes of a letter of another script at `i`, 0 for none: Greek, Cyrillic and so on to Devanagari,
// kana, Chinese, Hangul. The 64 letters around one are letters of its script.
std::size_t other_letter_bytes(std::string_view text, std::size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const std::size_t bytes = lead >= 0xce && lead <= 0xdf     ? 2
                            : (lead >= 0xe0 && lead <= 0xed) ? 3
                                                             : 0;
  return lead == 0xe2 || i + bytes > text.size() ? 0 : bytes;  // e2: dashes, quotes, signs
}

std::string letters_more(std::uint32_t attempt, KeyedStream& stream) {
  std::string out;
  for (std::uint32_t i = 0; i < attempt / attempts_same_length; ++i)
    out += stream.one_of(i % 2 == 0 ? vowels : consonants);
  return out;
}

// Where the part of a domain begins that a registry hands out under: ".com", ".co.uk".
std::size_t public_suffix(std::string_view domain) {
  const std::size_t top = domain.rfind('.');
  if (top == std::string_view::npos || top == 0) return domain.size();
  const std::size_t second = domain.rfind('.', top - 1);
  const std::size_t second_begin = second == std::string_view::npos ? 0 : second + 1;
  const bool country = domain.size() - top == 3;
  return country && second != std::string_view::npos && top - second_begin <= 3 ? second : top;
}

// Label by label, so that mail.acme.com and acme.com stay related.
std::string domain_surrogate(const SecretText& key, std::string_view domain) {
  if (std::ranges::find(shared_domains, domain) != shared_domains.end()) return std::string(domain);
  const std::size_t suffix = public_suffix(domain);
  std::string out;
  std::size_t begin = 0;
  while (begin < suffix) {
    const std::size_t end = std::min(domain.find('.', begin), suffix);
    const std::string_view label = domain.substr(begin, end - begin);
    KeyedStream stream(key, "domain/" + std::string(label));
    out += stand_in(label, stream);
    if (end < suffix) out += '.';
    begin = end + 1;
  }
  return out + std::string(domain.substr(suffix));
}

std::string email_surrogate(const SecretText& key, std::string_view value, KeyedStream& stream,
                            const Draw& draw) {
  const std::size_t at = value.find('@');
  std::string local = draw.local ? *draw.local : stand_in(value.substr(0, at), stream);
  local += letters_more(draw.attempt, stream);
  const std::string_view domain = value.substr(at + 1);
  return local + "@" +
         (draw.domain == EmailDomain::kept ? std::string(domain) : domain_surrogate(key, domain));
}

std::string card_surrogate(std::string_view value, KeyedStream& stream) {
  std::string digits(value.substr(0, card_prefix_length(value)));
  while (digits.size() + 1 < value.size()) digits += stream.one_of("0123456789");
  return digits + luhn_check_digit(digits);
}

std::string iban_surrogate(std::string_view value, KeyedStream& stream) {
  std::string compact(value.substr(0, 4));
  for (const char c : value.substr(4))
    compact +=
        is_digit(c) ? stream.one_of("0123456789") : stream.one_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  return with_iban_check_digits(std::move(compact));
}

std::uint32_t same_width_octet(std::string_view octet, KeyedStream& stream) {
  if (octet.size() == 1) return stream.below(10);
  return octet.size() == 2 ? 10 + stream.below(90) : 100 + stream.below(155);
}

bool is_special_first_octet(std::uint32_t octet) {
  return octet == 0 || octet == 10 || octet == 127 || octet == 169 || octet == 172 ||
         octet == 192 || octet > 223;
}

// Private addresses stay within their network's prefix.
std::size_t octets_kept(std::string_view value) {
  if (value.starts_with("10.")) return 1;
  if (value.starts_with("192.168.") || value.starts_with("169.254.")) return 2;
  if (!value.starts_with("172.")) return 0;
  const int second = std::stoi(std::string(value.substr(4)));
  return second >= 16 && second <= 31 ? 2 : 0;
}

std::string ipv4_surrogate(std::string_view value, KeyedStream& stream, std::uint32_t attempt) {
  const std::size_t kept = octets_kept(value);
  std::string out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string_view octet = value.substr(begin, value.find('.', begin) - begin);
    const auto draw = [&] {
      return attempt < attempts_same_length ? same_width_octet(octet, stream) : stream.below(255);
    };
    std::uint32_t drawn = draw();
    while (i == 0 && is_special_first_octet(drawn)) drawn = draw();
    out += i < kept ? std::string(octet) : std::to_string(drawn);
    if (i < 3) out += '.';
    begin += octet.size() + 1;
  }
  return out;
}

std::string ipv6_surrogate(std::string_view value, KeyedStream& stream, std::uint32_t attempt) {
  Ipv6Groups groups = *read_ipv6(value);
  for (std::size_t i = 1; i < groups.size(); ++i) {
    const bool lengthened = attempt >= attempts_same_length && i >= 6;
    if (groups[i] == 0 && !lengthened) continue;
    std::uint32_t least = 0x1000;
    while (!lengthened && least > groups[i]) least /= 16;
    groups[i] = static_cast<std::uint16_t>(least + stream.below(least * 15));
  }
  return to_text(groups);
}

std::string phone_surrogate(std::string_view value, KeyedStream& stream) {
  std::string digits(value.substr(0, std::min(phone_digits_kept, value.size() / 3)));
  while (digits.size() < value.size()) digits += stream.one_of("0123456789");
  return digits;
}

// The surrogate's characters in the places of the last letters and digits of the occurrence.
std::string into_places(std::string_view surrogate, std::string_view occurrence) {
  std::string out(occurrence);
  std::size_t left = surrogate.size();
  for (std::size_t i = out.size(); i > 0 && left > 0; --i) {
    char& c = out[i - 1];
    if (!is_alnum(c)) continue;
    const char drawn = surrogate[--left];
    c = is_lower(c) ? to_lower(drawn) : drawn;
  }
  return out;
}

std::string ip_like(std::string_view surrogate, std::string_view occurrence) {
  std::string out(surrogate);
  if (occurrence.contains(':') && !occurrence.contains("::") && !occurrence.contains('.')) {
    const Ipv6Groups groups = *read_ipv6(surrogate);
    const bool padded = occurrence.size() == 39;  // eight groups of four
    out.clear();
    for (const std::uint16_t group : groups)
      out += padded ? std::format("{:04x}:", group) : std::format("{:x}:", group);
    out.pop_back();
  }
  return std::ranges::any_of(occurrence, is_upper) ? upper_ascii(out) : out;
}

// Web address: the scheme stays, the host becomes another, what follows keeps its form.
std::string url_surrogate(const SecretText& key, std::string_view value, KeyedStream& stream,
                          std::uint32_t attempt) {
  const std::size_t scheme = value.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(value.find_first_of("/?#:", host), value.size());
  return std::string(value.substr(0, host)) +
         domain_surrogate(key, value.substr(host, end - host)) +
         stand_in(value.substr(end), stream) + letters_more(attempt, stream);
}

std::string mac_surrogate(std::string_view value, KeyedStream& stream) {
  std::string out;
  for (const char c : value) out += is_hex(c) ? stream.one_of("0123456789abcdef") : c;
  return out;
}

// The first letters name the coin and the form; the check sum is not kept.
std::string crypto_surrogate(std::string_view value, KeyedStream& stream) {
  const bool hexadecimal = value.starts_with("0x");
  const std::size_t kept = value.starts_with("bc1") ? 4 : hexadecimal ? 2 : 1;
  const std::string_view alphabet =
      hexadecimal ? "0123456789abcdef"
      : kept == 4 ? "023456789acdefghjklmnpqrstuvwxyz"
                  : "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::string out(value.substr(0, kept));
  while (out.size() < value.size()) out += stream.one_of(alphabet);
  return out;
}

}  // namespace

std::string stand_in(std::string_view text, KeyedStream& stream) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_latin_lead(text[i]) && i + 1 < text.size()) {
      const auto letters = static_cast<std::uint32_t>(latin_letters.size() / 2);
      out += latin_letters.substr(2 * std::size_t{stream.below(letters)}, 2);
      ++i;
    } else if (const std::size_t bytes = other_letter_bytes(text, i); bytes > 0) {
      out += text.substr(i, bytes - 1);
      out += static_cast<char>(0x80 + stream.below(64));
      i += bytes - 1;
    } else {
      out += stand_in_one(text[i], stream);
    }
  }
  return out;
}

std::string with_case_of(std::string_view surrogate, std::string_view occurrence) {
  std::string out(surrogate);
  for (std::size_t i = 0; i < std::min(out.size(), occurrence.size()); ++i) {
    if (is_upper(occurrence[i])) out[i] = to_upper(out[i]);
    if (is_lower(occurrence[i])) out[i] = to_lower(out[i]);
  }
  return out;
}

std::string_view registered_name(std::string_view email) {
  const std::string_view domain = email.substr(email.find('@') + 1);
  const std::string_view labels = domain.substr(0, public_suffix(domain));
  const std::size_t dot = labels.rfind('.');
  return dot == std::string_view::npos ? labels : labels.substr(dot + 1);
}

std::string label_of(const EntityKey& original, std::uint32_t attempt) {
  std::string label = std::format("{}/{}/{}", to_string(original.type), original.value, attempt);
  if (original.scope != 0) label += std::format("@{:016x}", original.scope);
  return label;
}

std::string draw_surrogate(const SecretText& key, const EntityKey& original, const Draw& draw) {
  const std::string_view value = original.value;
  KeyedStream stream(key, label_of(original, draw.attempt));
  switch (original.type) {
    case EntityType::email: return email_surrogate(key, value, stream, draw);
    case EntityType::card: return card_surrogate(value, stream);
    case EntityType::iban: return iban_surrogate(value, stream);
    case EntityType::ip:
      return value.contains(':') ? ipv6_surrogate(value, stream, draw.attempt)
                                 : ipv4_surrogate(value, stream, draw.attempt);
    case EntityType::phone: return phone_surrogate(value, stream);
    case EntityType::secret: return "[REDACTED:" + draw.kind + "]";
    case EntityType::mac: return mac_surrogate(value, stream);
    case EntityType::crypto: return crypto_surrogate(value, stream);
    case EntityType::url: return url_surrogate(key, value, stream, draw.attempt);
    default:
      return stand_in(value, stream) +
             (is_id(original.type) ? std::string() : letters_more(draw.attempt, stream));
  }
}

std::string write_like(EntityType type, std::string_view surrogate, std::string_view occurrence) {
  if (is_id(type)) return into_places(surrogate, occurrence);
  switch (type) {
    case EntityType::email: return with_case_of(surrogate, occurrence);
    case EntityType::card:
    case EntityType::iban:
    case EntityType::phone: return into_places(surrogate, occurrence);
    case EntityType::ip: return ip_like(surrogate, occurrence);
    case EntityType::secret: return std::string(surrogate);
    default: return with_case_of(surrogate, occurrence);
  }
}

}  // namespace understudy::s2
