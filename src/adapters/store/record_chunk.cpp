#include "adapters/store/record_chunk.hpp"

#include <string.h>  // explicit_bzero

#include <algorithm>
#include <cstring>
#include <utility>

namespace understudy::store {

namespace {

constexpr std::size_t alignment = alignof(TextRange);
constexpr std::size_t fetched_ahead_bytes = 2048;
constexpr std::size_t cache_line_bytes = 64;

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
  fetch_ahead();
}

std::string_view RecordChunk::copy(std::string_view text) {
  char* to = text_.get() + used_;
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  used_ += text.size();
  return {to, text.size()};
}

// The writer had this memory last, on another core: what the next record is likely to need of it
// comes over while nobody waits.
void RecordChunk::fetch_ahead() const {
  const std::size_t ahead = std::min(bytes_ - used_, fetched_ahead_bytes);
  for (std::size_t at = 0; at < ahead; at += cache_line_bytes)
    __builtin_prefetch(&text_[used_ + at], 1);
}

void RecordChunk::clear() {
  entries_.clear();
  explicit_bzero(text_.get(), used_);
  used_ = 0;
}

}  // namespace understudy::store
