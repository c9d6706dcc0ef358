#include "steps/s2_curate/detect/context.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t context_bytes = 64;
constexpr std::size_t context_words = 7;

constexpr auto phone_words = std::to_array<std::string_view>(
    {"answering", "call",     "cell",     "cellphone",     "cellular",  "celular", "contact",
     "dial",      "fax",      "handy",    "hotline",       "mobil",     "mobile",  "movil",
     "phone",     "phones",   "reach",    "ring",          "sms",       "tel",     "telefax",
     "telefon",   "telefone", "telefono", "telefonnummer", "telephone", "whatsapp"});
constexpr auto card_words = std::to_array<std::string_view>(
    {"amex", "card", "cards", "carte", "cc", "ccnumber", "credit", "creditcard", "debit",
     "discover", "kreditkarte", "maestro", "mastercard", "pan", "tarjeta", "visa"});
constexpr auto other_words = std::to_array<std::string_view>(
    {"amount", "arxiv", "booking", "build",  "case",      "commit",      "confirmation",
     "date",   "doi",   "eur",     "flight", "flights",   "hash",        "id",
     "ids",    "index", "invoice", "isbn",   "issn",      "issue",       "order",
     "orders", "pmid",  "price",   "ref",    "reference", "reservation", "seed",
     "serial", "sku",   "ticket",  "time",   "timestamp", "total",       "tracking",
     "usd",    "uuid",  "version"});
constexpr auto behind_words = std::to_array<std::string_view>(
    {"cell", "direct", "fax", "home", "mobile", "office", "phone", "tel", "work"});
constexpr std::size_t behind_bytes_max = 12;
constexpr auto version_words = std::to_array<std::string_view>(
    {"chapter", "clause", "firmware", "release", "section", "v", "ver", "version", "versions"});
constexpr auto network_words = std::to_array<std::string_view>(
    {"address", "addr", "client", "gateway", "host", "ip", "ips", "ipv4", "ipv6", "local",
     "loopback", "network", "peer", "prefix", "remote", "route", "router", "server", "subnet"});

bool is_one_of(std::string_view word, const auto& words) {
  return std::ranges::find(words, word) != words.end();
}

// The lower-cased words of a text, nearest to its end first; "cardNumber" and "card_number" are two
// words each.
std::vector<std::string> words_from_end(std::string_view text, std::size_t count) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (word.empty()) return;
    std::ranges::reverse(word);
    words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = text.size(); i > 0 && words.size() < count; --i) {
    const char c = text[i - 1];
    if (!is_alnum(c) || c == '_') {
      finish();
      continue;
    }
    word += to_lower(c);
    const bool camel = is_upper(c) && i >= 2 && is_lower(text[i - 2]);
    if (camel) finish();
  }
  finish();
  return words;
}

std::string_view before(std::string_view text, std::size_t begin) {
  const std::size_t start = begin > context_bytes ? begin - context_bytes : 0;
  std::string_view window = text.substr(start, begin - start);
  // A sentence or line further back speaks of something else.
  const std::size_t line = window.find_last_of('\n');
  if (line != std::string_view::npos && line + 1 < window.size()) window = window.substr(line + 1);
  return window;
}

NumberContext context_of(std::string_view window) {
  bool number = false;
  for (const std::string& word : words_from_end(window, context_words)) {
    if (is_one_of(word, phone_words)) return NumberContext::phone;
    if (is_one_of(word, card_words)) return NumberContext::card;
    if (is_one_of(word, other_words)) return NumberContext::other;
    number = number || word == "number";
  }
  return number ? NumberContext::number : NumberContext::none;
}

bool any_word(std::string_view window, std::size_t count, const auto& words) {
  return std::ranges::any_of(words_from_end(window, count),
                             [&](const std::string& word) { return is_one_of(word, words); });
}

}  // namespace

NumberContext number_context(std::string_view text, std::size_t begin, std::string_view key) {
  const NumberContext near = context_of(before(text, begin));
  return near != NumberContext::none ? near : context_of(key);
}

bool is_phone_word_behind(std::string_view text, std::size_t end) {
  std::string word;
  for (std::size_t i = end; i < std::min(text.size(), end + behind_bytes_max); ++i) {
    if (is_letter(text[i])) {
      word += to_lower(text[i]);
    } else if (!word.empty() || text[i] == '\n') {
      break;
    }
  }
  return is_one_of(word, behind_words);
}

bool is_version_place(std::string_view text, std::size_t begin, std::string_view key) {
  if (begin > 0) {
    const char c = text[begin - 1];
    if (c == '=' && begin > 1 && std::string_view("=><~!^").contains(text[begin - 2])) return true;
    if (c == '@' || c == '~' || c == '^' || c == '<' || c == '>') return true;
  }
  return any_word(before(text, begin), 2, version_words) || any_word(key, 2, version_words);
}

bool is_network_place(std::string_view text, std::size_t begin, std::string_view key) {
  return any_word(before(text, begin), 4, network_words) || any_word(key, 3, network_words);
}

}  // namespace understudy::s2
