#include "steps/s2_curate/duplicates/shingles.hpp"

#include <algorithm>
#include <cstring>

#include "adapters/text/hashing.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t short_gram = 5;
constexpr std::size_t long_gram = 13;

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte >= 128;
}

void append_content(const json::value& message, std::string& out) {
  const json::value* content = json::find(message, "content");
  if (content == nullptr) return;
  if (content->is_string()) out += std::string_view(content->get_string());
  if (content->is_array()) {
    for (const json::value& part : content->get_array()) {
      if (const auto text = json::find_string(part, "text")) out += *text;
      out += ' ';
    }
  }
  out += '\n';
}

// Hashes of the words; what has a digit in it (a number, an id, a date) is "#".
std::vector<std::uint32_t> words_of(std::string_view text) {
  std::vector<std::uint32_t> words;
  std::string word;
  const auto end_word = [&](bool digits) {
    if (word.empty()) return;
    if (digits) word = "#";
    words.push_back(static_cast<std::uint32_t>(text::hash64(word)));
    word.clear();
  };
  bool digits = false;
  for (const char c : text) {
    if (is_word_byte(c)) {
      digits = digits || (c >= '0' && c <= '9');
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    } else {
      end_word(digits);
      digits = false;
    }
  }
  end_word(digits);
  return words;
}

std::uint32_t hash_gram(const std::uint32_t* words, std::size_t count) {
  return static_cast<std::uint32_t>(
      text::hash64({reinterpret_cast<const char*>(words), count * sizeof(std::uint32_t)}, count));
}

std::vector<std::uint32_t> grams(const std::vector<std::uint32_t>& words, std::size_t length,
                                 std::size_t count_max) {
  std::vector<std::uint32_t> hashes;
  if (words.size() >= length) hashes.reserve(words.size() - length + 1);
  for (std::size_t i = 0; i + length <= words.size(); ++i)
    hashes.push_back(hash_gram(words.data() + i, length));
  std::ranges::sort(hashes);
  hashes.erase(std::ranges::unique(hashes).begin(), hashes.end());
  if (hashes.size() > count_max) hashes.resize(count_max);
  return hashes;
}

}  // namespace

std::string new_text(const json::value& request, const Answer& answer) {
  std::string text;
  if (const json::array* messages = json::find_array(request, "messages")) {
    std::size_t first = messages->size();
    while (first > 0 && json::string_or((*messages)[first - 1], "role") != "assistant") --first;
    for (std::size_t i = first; i < messages->size(); ++i) {
      const std::string role = json::string_or((*messages)[i], "role");
      if (role != "system" && role != "developer") append_content((*messages)[i], text);
    }
  }
  text += answer.text;
  for (const ToolCall& call : answer.tool_calls) text += "\n" + call.name + " " + call.arguments;
  return text;
}

Shingles shingles_of(std::string_view text) {
  const std::vector<std::uint32_t> words = words_of(text);
  Shingles shingles;
  shingles.text_hash = text::hash64(
      {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint32_t)});
  shingles.fives = grams(words, std::min(short_gram, std::max<std::size_t>(words.size(), 1)),
                         Shingles::fives_max);
  shingles.thirteens = grams(words, long_gram, Shingles::fives_max);
  return shingles;
}

std::string encode(const Shingles& shingles) {
  const std::uint64_t head[2] = {shingles.text_hash, shingles.fives.size()};
  std::string bytes(reinterpret_cast<const char*>(head), sizeof head);
  for (const auto* part : {&shingles.fives, &shingles.thirteens}) {
    bytes.append(reinterpret_cast<const char*>(part->data()), part->size() * sizeof(std::uint32_t));
  }
  return bytes;
}

Result<Shingles> decode_shingles(std::string_view bytes) {
  std::uint64_t head[2];
  if (bytes.size() < sizeof head) return fail(ErrorCode::corrupt, "no shingles");
  std::memcpy(head, bytes.data(), sizeof head);
  bytes.remove_prefix(sizeof head);
  const std::size_t count = bytes.size() / sizeof(std::uint32_t);
  if (head[1] > count) return fail(ErrorCode::corrupt, "no shingles");
  Shingles shingles{.fives = std::vector<std::uint32_t>(head[1]),
                    .thirteens = std::vector<std::uint32_t>(count - head[1]),
                    .text_hash = head[0]};
  if (head[1] > 0)
    std::memcpy(shingles.fives.data(), bytes.data(), head[1] * sizeof(std::uint32_t));
  if (count > head[1]) {
    std::memcpy(shingles.thirteens.data(), bytes.data() + head[1] * sizeof(std::uint32_t),
                shingles.thirteens.size() * sizeof(std::uint32_t));
  }
  return shingles;
}

double jaccard(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  if (a.empty() && b.empty()) return 1;
  std::size_t both = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) {
      ++both, ++i, ++j;
    } else if (*i < *j) {
      ++i;
    } else {
      ++j;
    }
  }
  return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
}

}  // namespace understudy::s2
