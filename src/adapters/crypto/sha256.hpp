// SHA-256 (libsodium), for formats that carry a part of it as a checksum. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace understudy::crypto {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::span<const std::uint8_t> bytes);

}  // namespace understudy::crypto
