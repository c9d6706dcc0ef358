#include "adapters/store/read_parts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::store {
namespace {

constexpr std::size_t part_count = 400;
constexpr std::size_t memory_bytes = 4096;

std::string part(std::size_t number) {
  return std::string(100 + number % 37, static_cast<char>('a' + number % 26)) +
         std::to_string(number);
}

// Each part, right after its neighbours and long after, while new ones come.
void fill_and_read(ReadParts& parts) {
  for (std::size_t i = 0; i < part_count; ++i) {
    ASSERT_TRUE(parts.add(part(i)));
    for (const std::size_t asked : {i, i / 2, std::size_t{0}}) {
      const auto found = parts.find(asked);
      ASSERT_TRUE(found);
      EXPECT_EQ(*found, part(asked));
      EXPECT_EQ(parts.bytes_of(asked), part(asked).size());
    }
  }
  EXPECT_FALSE(parts.bytes_of(part_count));
}

TEST(ReadParts, GivesBackWhatDoesNotFitIntoMemory) {
  ReadParts parts(std::filesystem::temp_directory_path(), memory_bytes);
  fill_and_read(parts);
  EXPECT_LE(parts.bytes_in_memory(), memory_bytes);
}

TEST(ReadParts, KeepsAllInMemoryWhereNoFileCanBeWritten) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/proc/no/such/place", 1);
  ReadParts parts("/proc/no/such/place", memory_bytes);
  fill_and_read(parts);
  EXPECT_GT(parts.bytes_in_memory(), memory_bytes);
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST(ReadParts, APartThatIsLargerThanTheMemoryIsFoundToo) {
  ReadParts parts(std::filesystem::temp_directory_path(), memory_bytes);
  const std::string large(3 * memory_bytes, 'x');
  ASSERT_TRUE(parts.add(large));
  ASSERT_TRUE(parts.add("small"));
  EXPECT_EQ(parts.find(0).value(), large);
  EXPECT_EQ(parts.find(1).value(), "small");
}

}  // namespace
}  // namespace understudy::store
