#include "adapters/wire/json_parts.hpp"

#include "base/json.hpp"

namespace understudy::wire {

std::string with_members(std::string_view object, const RawMembers& replacements) {
  const JsonText text(object);
  JsonCursor cursor = text.cursor();
  JsonWriter writer;
  std::vector<bool> written(replacements.size());
  writer.open('{');
  cursor.each_member([&](std::string_view key) {
    for (std::size_t i = 0; i < replacements.size(); ++i) {
      if (replacements[i].first != key) continue;
      if (!written[i]) writer.raw(key, replacements[i].second);
      written[i] = true;
      return;
    }
    const std::string_view value = cursor.skip();
    if (!cursor.failed()) writer.raw(key, value);
  });
  for (std::size_t i = 0; i < replacements.size(); ++i) {
    if (!written[i]) writer.raw(replacements[i].first, replacements[i].second);
  }
  writer.close('}');
  return writer.take();
}

void JsonWriter::text(std::string_view name, std::string_view plain) {
  key(name);
  raw(json::to_text(json::value(plain)));
}

}  // namespace understudy::wire
