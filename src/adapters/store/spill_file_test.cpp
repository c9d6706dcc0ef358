#include "adapters/store/spill_file.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace understudy::store {
namespace {

namespace fs = std::filesystem;

TEST(SpillFile, ReadsBackWhatWasAppendedAndLeavesNoFile) {
  std::string name = (fs::temp_directory_path() / "understudy-spill-XXXXXX").string();
  const fs::path directory = ::mkdtemp(name.data());
  {
    auto spill = SpillFile::create(directory);
    ASSERT_TRUE(spill.has_value()) << spill.error().to_text();
    std::vector<std::uint64_t> places;
    for (int i = 0; i < 1000; ++i) {
      const auto place = spill->append("record " + std::string(static_cast<std::size_t>(i), 'x'));
      ASSERT_TRUE(place.has_value());
      places.push_back(*place);
    }
    ASSERT_TRUE(spill->flush().has_value());
    for (const std::size_t i : {0U, 1U, 500U, 999U})
      EXPECT_EQ(spill->read(places[i])->reveal(), "record " + std::string(i, 'x'));
    EXPECT_FALSE(spill->read(places[1] + 1).has_value()) << "no record begins there";
    EXPECT_TRUE(fs::is_empty(directory)) << "the file has no name";
  }
  fs::remove_all(directory);
}

TEST(SpillFile, SaysWhichDirectoryIsNotThere) {
  const auto spill = SpillFile::create("/nowhere/at/all");
  ASSERT_FALSE(spill.has_value());
  EXPECT_THAT(spill.error().message, testing::HasSubstr("/nowhere/at/all"));
}

}  // namespace
}  // namespace understudy::store
