// Result<T>: a value or an Error. TRY unwraps or returns; CO_TRY is its twin inside coroutines (a
// statement with two arguments, because a statement expression around co_await crashes g++ 16).
#pragma once

#include <expected>
#include <utility>

#include "base/error.hpp"

namespace understudy {

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return std::unexpected(
      Error{.code = code, .message = std::move(message), .hint = std::move(hint)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace understudy

#define UNDERSTUDY_CONCAT_INNER(a, b) a##b
#define UNDERSTUDY_CONCAT(a, b) UNDERSTUDY_CONCAT_INNER(a, b)

// auto value = TRY(expression);   or, for a Status,   TRY(expression);
#define TRY(...) UNDERSTUDY_TRY(UNDERSTUDY_CONCAT(try_result_, __COUNTER__), __VA_ARGS__)
#define UNDERSTUDY_TRY(result, ...)                                    \
  ({                                                                   \
    auto result = (__VA_ARGS__);                                       \
    if (!result) return ::understudy::fail(std::move(result).error()); \
    std::move(result).value();                                         \
  })

// CO_TRY(auto value, co_await expression);
#define CO_TRY(declaration, ...)                                                           \
  auto UNDERSTUDY_CONCAT(co_try_, __LINE__) = (__VA_ARGS__);                               \
  if (!UNDERSTUDY_CONCAT(co_try_, __LINE__))                                               \
    co_return ::understudy::fail(std::move(UNDERSTUDY_CONCAT(co_try_, __LINE__)).error()); \
  declaration = std::move(UNDERSTUDY_CONCAT(co_try_, __LINE__)).value()
