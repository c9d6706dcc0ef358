#include "adapters/store/line_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>

#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class LineReaderTest : public testing::Test {
 protected:
  LineReaderTest() {
    std::string name = (fs::temp_directory_path() / "understudy-lines-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~LineReaderTest() override { fs::remove_all(directory_); }

  fs::path file(std::string_view content) {
    EXPECT_TRUE(write_file_atomically(directory_ / "lines", content));
    return directory_ / "lines";
  }
  std::string gzip(const std::string& text) {
    const fs::path path = directory_ / "zipped";
    gzFile zipped = gzopen(path.c_str(), "wb");
    gzwrite(zipped, text.data(), static_cast<unsigned>(text.size()));
    gzclose(zipped);
    return read_file(path).value();
  }
  static std::pair<std::vector<std::string>, std::optional<Error>> lines(const fs::path& path) {
    auto reader = LineReader::open(path);
    if (!reader) return {{}, reader.error()};
    std::vector<std::string> found;
    while (true) {
      auto line = reader->next();
      if (!line) return {found, line.error()};
      if (!*line) return {found, std::nullopt};
      found.push_back(**line);
      EXPECT_EQ(reader->line(), found.size());
    }
  }

  fs::path directory_;
};

TEST_F(LineReaderTest, ReadsPlainAndGzipAlikeWhateverTheName) {
  const std::string text = "one\n\nthree\r\nlast without end";
  const auto expected = ElementsAre("one", "", "three", "last without end");
  EXPECT_THAT(lines(file(text)).first, expected);
  EXPECT_THAT(lines(file(gzip(text))).first, expected);
  EXPECT_THAT(lines(file(gzip("one\n\n") + gzip("three\nlast without end"))).first, expected);
}

TEST_F(LineReaderTest, LinesLongerThanTheBufferStayWhole) {
  const std::string big(1'000'000, 'x');
  EXPECT_THAT(lines(file("a\n" + big + "\nb\n")).first, ElementsAre("a", big, "b"));
}

TEST_F(LineReaderTest, AByteOrderMarkIsNoContent) {
  EXPECT_THAT(lines(file("\xef\xbb\xbf{}\n")).first, ElementsAre("{}"));
}

TEST_F(LineReaderTest, ACutOrDamagedGzipNamesFileAndLine) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string zipped = gzip(text);
  for (const std::string& bytes : {zipped.substr(0, zipped.size() / 2),
                                   zipped.substr(0, zipped.size() - 4), zipped.substr(0, 5)}) {
    const auto [found, error] = lines(file(bytes));
    ASSERT_TRUE(error) << bytes.size();
    EXPECT_EQ(error->code, ErrorCode::corrupt);
    EXPECT_THAT(error->message, HasSubstr("lines:" + std::to_string(found.size() + 1) + ":"));
  }
  std::string damaged = zipped;
  damaged[damaged.size() / 2] ^= 0x55;
  EXPECT_EQ(lines(file(damaged)).second->code, ErrorCode::corrupt);
}

TEST_F(LineReaderTest, AMissingFileAndAFolderAreNamed) {
  EXPECT_EQ(lines(directory_ / "none").second->code, ErrorCode::not_found);
  EXPECT_EQ(lines(directory_).second->code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace understudy::store
