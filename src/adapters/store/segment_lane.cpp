#include "adapters/store/segment_lane.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/audit_trail.hpp"
#include "base/log.hpp"

namespace understudy::store {

namespace {

std::uint64_t stamp_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return 0;
  const auto seconds = static_cast<std::uint64_t>(status.st_mtim.tv_sec);
  return seconds * 1'000'000'000 + static_cast<std::uint64_t>(status.st_mtim.tv_nsec) +
         status.st_ino;
}

}  // namespace

std::uint64_t SegmentLane::readers_stamp() const {
  return stamp_of(home_.keys() / "curator.pub") + 31 * stamp_of(home_.keys() / "auditor.pub");
}

SegmentLane::Clock::time_point SegmentLane::end_at() const {
  return made_at_ + std::chrono::seconds(options_.segment_age_s);
}

Status SegmentLane::create() {
  readers_stamp_ = readers_stamp();
  segment_ = TRY(SegmentWriter::create(home_, kind_));
  made_at_ = Clock::now();
  told_committed_ = 0;
  told_bytes_ = 0;
  ++settled_.segments;
  if (kind_ != segment_format::SegmentKind::calls) return {};
  // A trail that is damaged is for `audit verify` to tell; calls are recorded all the same.
  const auto head = audit_head(home_);
  if (head && head->lines > 0) {
    segment_->append(AnchorRecord{.lines = head->lines, .head = crypto::unhex(head->hash)});
  }
  if (options_.retention_days > 0) drop_old_segments(home_, options_.retention_days);
  return {};
}

bool SegmentLane::has_room() const {
  return segment_->bytes() < options_.segment_bytes && !segment_->is_full();
}

Status SegmentLane::prepare() {
  if (segment_ && !has_room()) TRY(end());
  return segment_ ? Status() : create();
}

bool SegmentLane::is_prepared_for(const RecordView& record) const {
  return segment_ && has_room() && segment_->knows(record.tenant);
}

Status SegmentLane::append(const RecordView& record) {
  segment_->set_compression_budget(budget_us_);
  const Status appended = segment_->append(record);
  budget_us_ = segment_->compression_budget_us();
  return appended;
}

void SegmentLane::add_waiting(Done done) {
  if (done) waiting_.push_back({.record = segment_->appended(), .done = std::move(done)});
}

void SegmentLane::begin_group(std::int64_t budget_us) {
  budget_us_ = budget_us;
  if (segment_) segment_->begin_group();
}

bool SegmentLane::is_large() const {
  return segment_ && segment_->buffered_bytes() >= limits::log_write_bytes;
}

Status SegmentLane::write() { return segment_ ? segment_->write() : Status(); }

Status SegmentLane::commit() {
  if (!segment_) return {};
  TRY(segment_->commit());
  tell_committed();
  return {};
}

Status SegmentLane::end() {
  if (!segment_) return {};
  TRY(commit());
  const Status closed = segment_->close();
  settled_.bytes += segment_->bytes() - std::exchange(told_bytes_, segment_->bytes());
  if (segment_->appended() == 0) segment_->discard();
  segment_.reset();
  return closed;
}

void SegmentLane::give_up(const Error& error) {
  if (!segment_) return;
  tell_committed();
  settled_.lost += segment_->appended() - segment_->committed();
  for (Waiting& one : waiting_) one.done(fail(error));
  waiting_.clear();
  segment_->discard();
  segment_.reset();
}

void SegmentLane::tell_committed() {
  const std::uint64_t committed = segment_->committed();
  auto told = waiting_.begin();
  for (; told != waiting_.end() && told->record <= committed; ++told) told->done({});
  waiting_.erase(waiting_.begin(), told);
  settled_.committed += committed - std::exchange(told_committed_, committed);
  settled_.bytes += segment_->bytes() - std::exchange(told_bytes_, segment_->bytes());
}

Status SegmentLane::check() {
  if (!segment_) return {};
  if (Clock::now() >= end_at() || readers_stamp() != readers_stamp_) return end();
  const std::int64_t stamp = crypto::tenant_keys_stamp(home_.keys());
  if (stamp != std::exchange(tenants_stamp_, stamp)) segment_->forget_changed_tenants();
  return {};
}

SegmentLane::Settled SegmentLane::take_settled() { return std::exchange(settled_, {}); }

std::size_t drop_old_segments(const Home& home, std::int64_t days) {
  namespace fs = std::filesystem;
  const auto oldest = fs::file_time_type::clock::now() - std::chrono::days(days);
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.log(), error)) {
    if (entry.path().extension() != ".sealed") continue;
    std::error_code unread;
    const auto written = entry.last_write_time(unread);  // that of its newest record
    if (unread || written >= oldest) continue;
    if (fs::remove(entry.path(), unread)) ++count;
  }
  if (count > 0) {
    log::info("retention: deleted " + std::to_string(count) + " segments that were last written " +
              "more than " + std::to_string(days) + " days ago");
  }
  return count;
}

}  // namespace understudy::store
