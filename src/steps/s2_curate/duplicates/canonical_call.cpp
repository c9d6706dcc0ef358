#include "steps/s2_curate/duplicates/canonical_call.hpp"

#include <array>
#include <map>

#include "adapters/crypto/keys.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t hash_bytes = 16;

// Fields that do not change what the model is asked.
constexpr std::array ignored_fields = {"user",
                                       "stream",
                                       "stream_options",
                                       "metadata",
                                       "store",
                                       "safety_identifier",
                                       "prompt_cache_key"};

class ToolCallNumbers {
 public:
  void replace(json::object& holder, std::string_view key) {
    json::value* id = holder.if_contains(key);
    if (id == nullptr || !id->is_string()) return;
    const auto [place, is_new] =
        numbers_.try_emplace(std::string(id->get_string()), numbers_.size());
    *id = place->second;
  }

 private:
  std::map<std::string, std::size_t> numbers_;
};

}  // namespace

std::string request_hash(const json::value& request) {
  json::value tree = request;
  if (tree.is_object()) {
    for (const char* field : ignored_fields) tree.get_object().erase(field);
    ToolCallNumbers numbers;
    if (json::value* messages = tree.get_object().if_contains("messages");
        messages != nullptr && messages->is_array()) {
      for (json::value& message : messages->get_array()) {
        if (!message.is_object()) continue;
        numbers.replace(message.get_object(), "tool_call_id");
        json::value* calls = message.get_object().if_contains("tool_calls");
        if (calls == nullptr || !calls->is_array()) continue;
        for (json::value& call : calls->get_array()) {
          if (call.is_object()) numbers.replace(call.get_object(), "id");
        }
      }
    }
  }
  return crypto::blake2b(json::to_canonical(tree), hash_bytes);
}

std::string answer_hash(const Answer& answer) {
  json::array calls;
  for (const ToolCall& call : answer.tool_calls) {
    auto arguments = json::parse(call.arguments);
    calls.push_back(
        json::array{call.name, arguments ? std::move(*arguments) : json::value(call.arguments)});
  }
  return crypto::blake2b(json::to_canonical(json::array{answer.text, std::move(calls)}),
                         hash_bytes);
}

}  // namespace understudy::s2
