#include "adapters/lm/hf/piece_scores.hpp"

#include <unordered_map>
#include <unordered_set>

#include "adapters/lm/hf/tokenizer_file.hpp"
#include "adapters/lm/hf/tokenizer_refusal.hpp"

namespace understudy::lm {

namespace {

std::unexpected<Error> no_sentencepiece(const std::string& why) {
  return refuse_tokenizer("its pieces are not merged as sentencepiece does: " + why);
}

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

// Parts are told apart by a byte that no UTF-8 text has.
std::string pair_of(std::string_view left, std::string_view right) {
  return std::string(left) + '\xFF' + std::string(right);
}

Status check_complete(const TokenizerFile& file, const std::vector<Merge>& merges) {
  std::unordered_set<std::string> pairs;
  pairs.reserve(merges.size());
  for (const Merge& merge : merges) pairs.insert(pair_of(merge.left, merge.right));
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    if (file.types[id] != TokenType::normal) continue;
    const std::string_view piece = file.pieces[id];
    for (std::size_t cut = 1; cut < piece.size(); ++cut) {
      if (!begins_character(piece[cut])) continue;
      const std::string_view left = piece.substr(0, cut);
      const std::string_view right = piece.substr(cut);
      if (!file.ids.contains(left) || !file.ids.contains(right)) continue;
      if (!pairs.contains(pair_of(left, right))) {
        return no_sentencepiece("\"" + std::string(left) + "\" and \"" + std::string(right) +
                                "\" stay apart");
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<float>> piece_scores(const TokenizerFile& file,
                                        const std::vector<Merge>& merges) {
  TRY(check_complete(file, merges));
  std::vector<float> scores(file.pieces.size(), 0);
  for (std::size_t id = 0; id < scores.size(); ++id) {  // below all that merging makes
    if (file.types[id] != TokenType::normal) scores[id] = -1 - static_cast<float>(merges.size());
  }
  std::unordered_set<std::string> made;
  std::string last;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    std::string piece = merges[rank].left + merges[rank].right;
    if (piece == last) continue;  // the other pairs of the same sum
    const auto id = static_cast<std::size_t>(file.ids.find(piece)->second);
    if (file.types[id] != TokenType::normal) continue;  // found in the text before merging
    if (!made.insert(piece).second) {
      return no_sentencepiece("pairs that make \"" + piece + "\" have ranks far apart");
    }
    scores[id] = -1 - static_cast<float>(rank);
    last = std::move(piece);
  }
  // Of single characters, where merging begins, no score is ever compared.
  return scores;
}

}  // namespace understudy::lm
