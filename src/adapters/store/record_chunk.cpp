#include "adapters/store/record_chunk.hpp"

#include <string.h>  // explicit_bzero

#include <cstring>
#include <utility>

namespace understudy::store {

namespace {

constexpr std::size_t alignment = alignof(TextRange);

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

std::size_t RecordChunk::bytes_of(const RecordView& record, bool is_owned) {
  const std::size_t text =
      record.metadata.size() + record.tenant.size() + (is_owned ? 0 : record.content_bytes());
  return record.repeated.size_bytes() + aligned(text);
}

void RecordChunk::add(const RecordView& record, std::unique_ptr<OwnedContent> owned, Done done) {
  Entry entry{.record = record, .owned = std::move(owned), .done = std::move(done)};
  if (!record.repeated.empty()) {  // first: text_ is aligned, and stays so
    auto* ranges = reinterpret_cast<TextRange*>(text_.get() + used_);
    std::memcpy(ranges, record.repeated.data(), record.repeated.size_bytes());
    used_ += record.repeated.size_bytes();
    entry.record.repeated = {ranges, record.repeated.size()};
  }
  entry.record.metadata = copy(record.metadata);
  entry.record.tenant = copy(record.tenant);
  if (entry.owned == nullptr) {
    entry.record.request = copy(record.request);
    entry.record.response = copy(record.response);
  }
  used_ = aligned(used_);
  entries_.push_back(std::move(entry));
}

std::string_view RecordChunk::copy(std::string_view text) {
  char* to = text_.get() + used_;
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  used_ += text.size();
  return {to, text.size()};
}

void RecordChunk::clear() {
  entries_.clear();
  explicit_bzero(text_.get(), used_);
  used_ = 0;
}

}  // namespace understudy::store
