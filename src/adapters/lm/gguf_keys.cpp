#include "adapters/lm/gguf_keys.hpp"

#include <gguf.h>

#include <utility>

namespace understudy::lm {

std::optional<std::int64_t> gguf_integer(const gguf_context* head, const std::string& key) {
  const std::int64_t id = gguf_find_key(head, key.c_str());
  if (id < 0) return std::nullopt;
  switch (gguf_get_kv_type(head, id)) {
    case GGUF_TYPE_UINT8: return gguf_get_val_u8(head, id);
    case GGUF_TYPE_INT8: return gguf_get_val_i8(head, id);
    case GGUF_TYPE_UINT16: return gguf_get_val_u16(head, id);
    case GGUF_TYPE_INT16: return gguf_get_val_i16(head, id);
    case GGUF_TYPE_UINT32: return gguf_get_val_u32(head, id);
    case GGUF_TYPE_INT32: return gguf_get_val_i32(head, id);
    case GGUF_TYPE_INT64: return gguf_get_val_i64(head, id);
    case GGUF_TYPE_UINT64: {
      const std::uint64_t value = gguf_get_val_u64(head, id);
      if (!std::in_range<std::int64_t>(value)) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    default: return std::nullopt;
  }
}

std::optional<std::vector<std::int64_t>> gguf_integers(const gguf_context* head,
                                                       const std::string& key) {
  const std::int64_t id = gguf_find_key(head, key.c_str());
  if (id < 0 || gguf_get_kv_type(head, id) != GGUF_TYPE_ARRAY) return std::nullopt;
  const gguf_type type = gguf_get_arr_type(head, id);
  if (type != GGUF_TYPE_INT32 && type != GGUF_TYPE_UINT32) return std::nullopt;
  const auto* values = static_cast<const std::int32_t*>(gguf_get_arr_data(head, id));
  return std::vector<std::int64_t>(values, values + gguf_get_arr_n(head, id));
}

std::optional<std::string> gguf_text(const gguf_context* head, const std::string& key) {
  const std::int64_t id = gguf_find_key(head, key.c_str());
  if (id < 0 || gguf_get_kv_type(head, id) != GGUF_TYPE_STRING) return std::nullopt;
  return gguf_get_val_str(head, id);
}

}  // namespace understudy::lm
