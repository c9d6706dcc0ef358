#include "adapters/store/compression.hpp"

#include <zstd.h>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr int usual_level =
    3;  // zstd's default: about 300 MB/s a core and a factor of 5 on prompts

}  // namespace

struct Compressor::State {
  ZSTD_CCtx* compression = ZSTD_createCCtx();
  ZSTD_DCtx* decompression = ZSTD_createDCtx();

  State() { CHECK(compression != nullptr && decompression != nullptr, "zstd has memory"); }
  ~State() {
    ZSTD_freeCCtx(compression);
    ZSTD_freeDCtx(decompression);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Compressor::Compressor() : state_(std::make_unique<State>()) {}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

SecretText Compressor::compress(std::string_view plain) {
  std::string frame;
  return compress(plain, usual_level, frame) ? SecretText(std::move(frame)) : SecretText();
}

bool Compressor::compress(std::string_view plain, int level, std::string& out) {
  const std::size_t before = out.size();
  bool shorter = false;
  out.resize_and_overwrite(
      before + ZSTD_compressBound(plain.size()), [&](char* at, std::size_t room) {
        const std::size_t size = ZSTD_compressCCtx(state_->compression, at + before, room - before,
                                                   plain.data(), plain.size(), level);
        shorter = ZSTD_isError(size) == 0 && size < plain.size();
        return shorter ? before + size : before;
      });
  return shorter;
}

Result<SecretText> Compressor::decompress(std::string_view frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > limits::record_bytes_max) {
    return fail(ErrorCode::corrupt, "the compressed text has no valid length");
  }
  std::string plain(static_cast<std::size_t>(size), '\0');
  const std::size_t written = ZSTD_decompressDCtx(state_->decompression, plain.data(), plain.size(),
                                                  frame.data(), frame.size());
  if (ZSTD_isError(written) != 0 || written != size) {
    return fail(ErrorCode::corrupt, "the compressed text does not decompress");
  }
  return SecretText(std::move(plain));
}

}  // namespace understudy::store
