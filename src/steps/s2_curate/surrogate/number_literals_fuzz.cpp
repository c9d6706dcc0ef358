// Numbers found in any text lie in it, in order, and are written back as they stood; scaled ones
// are numbers again.
#include "steps/s2_curate/surrogate/number_literals.hpp"

#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  using namespace understudy::s2;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr ScaledNumber thirteen_digits = 1'000'000'000'000 * 10'000;
  std::size_t last = 0;
  for (const NumberLiteral& number : numbers_in(text)) {
    CHECK(number.begin >= last && number.end > number.begin && number.end <= size, "in order");
    last = number.end;
    const std::string_view here = text.substr(number.begin, number.end - number.begin);
    CHECK(written_as(number.value, number) == here, "as it stood");
    const ScaledNumber image = scaled(number.value, 10'500);
    CHECK(image >= number.value, "larger");
    if (image >= thirteen_digits) continue;  // as long as ids are
    const std::string other = written_as(image, number);
    const auto again = numbers_in("$" + other);  // behind a sign of money a year is a number
    CHECK(again.size() == 1 && again[0].value >= number.value, "a number again");
  }
  return 0;
}
