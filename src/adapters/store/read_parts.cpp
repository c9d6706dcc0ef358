#include "adapters/store/read_parts.hpp"

#include <string>
#include <system_error>
#include <utility>

#include "base/check.hpp"

namespace understudy::store {

Status ReadParts::count(std::size_t bytes) {
  // A writer begins another segment at the limit; its last call may go beyond it.
  if (bytes_ > limits::segment_part_bytes_max) {
    return fail(ErrorCode::corrupt, "the segment's parts exceed limits::segment_part_bytes_max");
  }
  bytes_ += bytes;
  return {};
}

Status ReadParts::lend(std::uint64_t number, std::string_view part) {
  TRY(count(part.size()));
  lent_.insert_or_assign(number, SecretText(std::string(part)));
  return {};
}

Status ReadParts::add(std::string_view part) {
  TRY(count(part.size()));
  const auto number = static_cast<std::uint32_t>(parts_.size());
  parts_.push_back({.place = nowhere, .bytes = part.size()});
  keep(number, SecretText(std::string(part)));
  return {};
}

std::optional<std::size_t> ReadParts::bytes_of(std::uint64_t number) const {
  if (number < first_) {
    const auto lent = lent_.find(number);
    return lent == lent_.end() ? std::nullopt : std::optional(lent->second.reveal().size());
  }
  const std::uint64_t here = number - first_;
  return here < parts_.size() ? std::optional(parts_[here].bytes) : std::nullopt;
}

Result<std::string_view> ReadParts::find(std::uint64_t number) {
  CHECK(bytes_of(number), "the caller asked bytes_of() before");
  if (number < first_) return lent_.at(number).reveal();
  const auto here = static_cast<std::uint32_t>(number - first_);
  if (const auto known = memory_.find(here); known != memory_.end()) {
    known->second.used = true;
    return known->second.text.reveal();
  }
  if (parts_[here].place >= readable_bytes_) {
    TRY(file_->flush());
    readable_bytes_ = file_->bytes();
  }
  return keep(here, TRY(file_->read(parts_[here].place)));
}

std::string_view ReadParts::keep(std::uint32_t number, SecretText text) {
  memory_bytes_ += text.reveal().size();
  make_room();
  order_.push_back(number);
  return memory_.emplace(number, InMemory{.text = std::move(text)}).first->second.text.reveal();
}

void ReadParts::make_room() {
  while (memory_bytes_ > memory_bytes_max_ && !order_.empty() && !file_failed_) {
    const std::uint32_t number = order_.front();
    order_.pop_front();
    const auto part = memory_.find(number);
    if (std::exchange(part->second.used, false) || !spill(number, part->second.text.reveal())) {
      order_.push_back(number);
      continue;
    }
    memory_bytes_ -= parts_[number].bytes;
    memory_.erase(part);
  }
}

// Not being able to write (a full disk, a log that may only be read) is no reason not to read.
bool ReadParts::spill(std::uint32_t number, std::string_view text) {
  if (parts_[number].place != nowhere) return true;
  if (!file_) {
    std::error_code error;
    const auto elsewhere = std::filesystem::temp_directory_path(error);
    auto file = SpillFile::create(scratch_.empty() ? elsewhere : scratch_);
    if (!file && !error) file = SpillFile::create(elsewhere);
    if (file) file_ = std::move(*file);
  }
  if (file_) {
    if (const auto place = file_->append(text)) {
      parts_[number].place = *place;
      return true;
    }
  }
  file_failed_ = true;
  return false;
}

}  // namespace understudy::store
