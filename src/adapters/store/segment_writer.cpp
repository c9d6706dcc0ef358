#include "adapters/store/segment_writer.hpp"

#include <array>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/sealed_file.hpp"
#include "base/ids.hpp"

namespace understudy::store {

struct SegmentWriter::State {
  std::filesystem::path path;
  SealedWriter file;
  std::uint64_t appended = 0;
  std::uint64_t committed = 0;
};

SegmentWriter::SegmentWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentWriter::~SegmentWriter() = default;
SegmentWriter::SegmentWriter(SegmentWriter&&) noexcept = default;
SegmentWriter& SegmentWriter::operator=(SegmentWriter&&) noexcept = default;

Result<SegmentWriter> SegmentWriter::create(const Home& home) {
  const std::array readers{TRY(crypto::load_public_key(home.keys(), crypto::Role::curator))};
  const std::filesystem::path path = home.log() / (make_uuid7() + ".sealed");
  SealedWriter file = TRY(SealedWriter::create(path, readers));
  return SegmentWriter(std::make_unique<State>(path, std::move(file)));
}

Status SegmentWriter::append(const Call& call) {
  const SecretText record(json::to_text(to_json(call)));
  TRY(state_->file.append(record.reveal()));
  ++state_->appended;
  return {};
}

Status SegmentWriter::write() { return {}; }

Status SegmentWriter::commit() {
  TRY(state_->file.commit());
  state_->committed = state_->appended;
  return {};
}

Status SegmentWriter::close() { return state_->file.close(); }

void SegmentWriter::discard() {
  if (state_->committed > 0) return;
  std::error_code ignored;
  std::filesystem::remove(state_->path, ignored);
}

std::uint64_t SegmentWriter::bytes() const { return state_->file.bytes(); }
std::uint64_t SegmentWriter::buffered_bytes() const { return 0; }
std::uint64_t SegmentWriter::appended() const { return state_->appended; }
std::uint64_t SegmentWriter::committed() const { return state_->committed; }
bool SegmentWriter::is_full() const { return false; }

}  // namespace understudy::store
