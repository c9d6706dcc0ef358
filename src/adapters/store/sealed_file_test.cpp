#include "adapters/store/sealed_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/store/sealed_format.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Read {
  std::vector<std::string> records;
  std::optional<Error> error;
  Tail tail;
};

class SealedFileTest : public testing::Test {
 protected:
  SealedFileTest() {
    std::string name = (fs::temp_directory_path() / "understudy-sealed-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    EXPECT_TRUE(crypto::init_keys(directory_ / "keys"));
    curator_ = crypto::load_secret_key(directory_ / "keys", crypto::Role::curator).value();
    trainer_ = crypto::load_secret_key(directory_ / "keys", crypto::Role::trainer).value();
  }
  ~SealedFileTest() override { fs::remove_all(directory_); }

  SealedWriter create(const fs::path& path) {
    return SealedWriter::create(path, std::array{curator_.public_key}).value();
  }
  fs::path write(const std::string& name, const std::vector<std::string>& records) {
    SealedWriter writer = create(directory_ / name);
    for (const std::string& record : records) EXPECT_TRUE(writer.append(record));
    EXPECT_TRUE(writer.commit());
    return directory_ / name;
  }
  fs::path put(std::string_view bytes) {
    std::ofstream(directory_ / "changed", std::ios::binary) << bytes;  // thousands: without fsync
    return directory_ / "changed";
  }
  Read read(const fs::path& path) {
    Read result;
    auto reader = SealedReader::open(path, curator_);
    if (!reader) {
      result.error = reader.error();
      return result;
    }
    while (true) {
      auto record = reader->next();
      if (!record) {
        result.error = record.error();
        break;
      }
      if (!*record) break;
      result.records.push_back((*record)->reveal());
    }
    result.tail = reader->tail();
    return result;
  }

  fs::path directory_;
  crypto::SecretKey curator_;
  crypto::SecretKey trainer_;
};

const std::vector<std::string> three = {"first", std::string(300, 'b'), "third record"};
constexpr std::size_t header_of_one = 32 + 88 + 32;

// The records of a file as byte ranges behind its header.
std::vector<std::string> split_records(const std::string& bytes) {
  std::vector<std::string> records;
  std::size_t at = header_of_one;
  while (at < bytes.size()) {
    const auto fields = sealed_format::parse_fields(
        std::string_view(bytes).substr(at, sealed_format::record_fields_bytes));
    records.push_back(
        bytes.substr(at, sealed_format::record_header_bytes + fields.ciphertext_bytes));
    at += records.back().size();
  }
  return records;
}

bool is_prefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

TEST_F(SealedFileTest, RecordsComeBackInOrder) {
  SealedWriter writer = create(directory_ / "a");
  for (const std::string& record : three) ASSERT_TRUE(writer.append(record));
  ASSERT_TRUE(writer.append(""));
  ASSERT_TRUE(writer.close());
  const Read back = read(directory_ / "a");
  EXPECT_FALSE(back.error);
  EXPECT_THAT(back.records, testing::ElementsAre(three[0], three[1], three[2], ""));
  EXPECT_EQ(back.tail.lost_bytes, 0u);
  EXPECT_TRUE(back.tail.closed);
}

TEST_F(SealedFileTest, EveryReaderOpensItAndNobodyElse) {
  const fs::path path = directory_ / "both";
  SealedWriter writer =
      SealedWriter::create(path, std::array{curator_.public_key, trainer_.public_key}).value();
  ASSERT_TRUE(writer.append("x"));
  ASSERT_TRUE(writer.close());
  EXPECT_TRUE(SealedReader::open(path, curator_));
  EXPECT_TRUE(SealedReader::open(path, trainer_));
  const auto auditor = crypto::load_secret_key(directory_ / "keys", crypto::Role::auditor).value();
  const auto denied = SealedReader::open(path, auditor);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::denied);
  EXPECT_THAT(denied.error().message, HasSubstr(path.string()));
}

TEST_F(SealedFileTest, AnExistingFileIsNotTouched) {
  const fs::path path = write("a", three);
  const auto again = SealedWriter::create(path, std::array{curator_.public_key});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(read(path).records, three);
}

TEST_F(SealedFileTest, NoFlippedBitEverYieldsOtherText) {
  const std::string sound = read_file(write("a", three)).value();
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const unsigned bit : {0u, 3u, 7u}) {
      std::string bytes = sound;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1u << bit));
      const Read back = read(put(bytes));
      ASSERT_TRUE(back.error) << "byte " << at << " bit " << bit;
      ASSERT_TRUE(is_prefix(back.records, three)) << "byte " << at;
      if (at >= header_of_one) {
        ASSERT_EQ(back.error->code, ErrorCode::corrupt) << "byte " << at;
      }
    }
  }
}

TEST_F(SealedFileTest, AFileCutAnywhereKeepsItsWholeRecords) {
  const std::string sound = read_file(write("a", three)).value();
  std::vector<std::size_t> ends = {header_of_one};
  for (const std::string& record : split_records(sound))
    ends.push_back(ends.back() + record.size());
  for (std::size_t size = header_of_one; size <= sound.size(); ++size) {
    const auto whole =
        static_cast<std::size_t>(std::ranges::upper_bound(ends, size) - ends.begin()) - 1;
    const Read back = read(put(sound.substr(0, size)));
    ASSERT_FALSE(back.error) << size << ": " << back.error->message;
    ASSERT_EQ(back.records.size(), whole) << size;
    ASSERT_TRUE(is_prefix(back.records, three)) << size;
    ASSERT_EQ(back.tail.lost_bytes, size - ends[whole]);
    ASSERT_FALSE(back.tail.closed);
  }
}

TEST_F(SealedFileTest, AFileWithoutAWholeHeaderIsCorrupt) {
  const std::string sound = read_file(write("a", three)).value();
  for (std::size_t size = 0; size < header_of_one; ++size) {
    const Read back = read(put(sound.substr(0, size)));
    ASSERT_TRUE(back.error) << size;
    ASSERT_EQ(back.error->code, ErrorCode::corrupt);
  }
}

TEST_F(SealedFileTest, ZerosBehindTheLastRecordAreALostTail) {
  const std::string sound = read_file(write("a", three)).value();
  const Read back = read(put(sound + std::string(5000, '\0')));
  EXPECT_FALSE(back.error);
  EXPECT_EQ(back.records, three);
  EXPECT_EQ(back.tail.lost_bytes, 5000u);
}

TEST_F(SealedFileTest, ReorderedDroppedRepeatedAndForeignRecordsAreRefused) {
  const std::string sound = read_file(write("a", three)).value();
  const std::string header = sound.substr(0, header_of_one);
  const auto records = split_records(sound);
  ASSERT_EQ(records.size(), 3u);
  const auto foreign = split_records(read_file(write("b", three)).value());
  const std::vector<std::pair<std::string, std::size_t>> attacks = {
      {records[1] + records[0] + records[2], 0},
      {records[0] + records[2], 1},
      {records[0] + records[0] + records[1], 1},
      {records[0] + foreign[1] + records[2], 1},
      {foreign[0], 0},
  };
  for (const auto& [body, index] : attacks) {
    const Read back = read(put(header + body));
    ASSERT_TRUE(back.error);
    EXPECT_EQ(back.error->code, ErrorCode::corrupt);
    EXPECT_THAT(back.error->message, HasSubstr("changed: record " + std::to_string(index)));
    EXPECT_EQ(back.records.size(), index);
  }
}

TEST_F(SealedFileTest, RecordsBehindTheEndMarkAreRefused) {
  SealedWriter writer = create(directory_ / "a");
  ASSERT_TRUE(writer.append("x"));
  ASSERT_TRUE(writer.close());
  const std::string sound = read_file(directory_ / "a").value();
  EXPECT_EQ(read(put(sound + "more")).error->code, ErrorCode::corrupt);
}

TEST_F(SealedFileTest, TheBytesHoldNoPlaintextInAnyUsualEncoding) {
  const std::string prompt = "Refund the order 4711 of Ms Hanako Example";
  std::vector<std::string> records(50, R"({"content":")" + prompt + "\"}");
  records.push_back(prompt);  // too short to be compressed: stored as it is, then encrypted
  const std::string bytes = read_file(write("a", records)).value();
  const std::string base64_part = "UmVmdW5kIHRoZSBvcmRlciA0NzEx";  // of "Refund the order 4711"
  const std::string hex_part = "526566756e6420746865206f72646572";
  for (const std::string& needle : {prompt, prompt.substr(0, 6), base64_part, hex_part}) {
    EXPECT_EQ(bytes.find(needle), std::string::npos) << needle;
  }
}

TEST_F(SealedFileTest, AForeignFileSaysSo) {
  EXPECT_EQ(read(put("{\"a\":1}\n")).error->code, ErrorCode::corrupt);
  EXPECT_EQ(read(directory_ / "none").error->code, ErrorCode::not_found);
  EXPECT_EQ(read(directory_).error->code, ErrorCode::invalid_input);
}

// A disk that is full, simulated by the process's limit on file sizes.
class FullDisk {
 public:
  explicit FullDisk(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(SealedFileTest, AFullDiskLosesNothingThatWasCommitted) {
  const fs::path path = directory_ / "a";
  SealedWriter writer = create(path);
  ASSERT_TRUE(writer.append("kept"));
  ASSERT_TRUE(writer.commit());
  const auto size = fs::file_size(path);
  {
    const FullDisk disk(size + 100);
    ASSERT_TRUE(writer.append(crypto::random_bytes(5000)));
    const Status full = writer.commit();
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::exhausted);
    EXPECT_THAT(full.error().message, HasSubstr(path.string()));
  }
  EXPECT_EQ(fs::file_size(path), size);  // no half record stays
  EXPECT_FALSE(writer.append("later"));  // the error stays, nothing is written behind it
  EXPECT_THAT(read(path).records, testing::ElementsAre("kept"));
}

TEST_F(SealedFileTest, AFullDiskAtTheStartLeavesNoFile) {
  const FullDisk disk(10);
  const auto writer = SealedWriter::create(directory_ / "a", std::array{curator_.public_key});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::exhausted);
  EXPECT_FALSE(fs::exists(directory_ / "a"));
  EXPECT_FALSE(fs::exists(directory_ / "a.new"));
}

}  // namespace
}  // namespace understudy::store
