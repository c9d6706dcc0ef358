// Segments of format version 2 through the log's own writer and reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "adapters/crypto/role_keys.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/log_index.hpp"
#include "adapters/store/segment_reader.hpp"
#include "adapters/store/segment_writer.hpp"
#include "adapters/store/version_1_fixture.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using segment_format::SegmentKind;
using testing::ElementsAre;
using testing::HasSubstr;

Call call(const std::string& id, const std::string& tenant, const std::string& request,
          const std::string& response) {
  Call made;
  made.id = {id};
  made.session = {"s-1"};
  made.source = "gateway";
  made.started_at = {1'764'000'000'000'000};
  made.first_byte_at = {1'764'000'000'200'000};
  made.ended_at = {1'764'000'000'900'000};
  made.origin.tenant = tenant;
  made.requested_model = "gpt-4o";
  made.request = SecretText(request);
  made.response = SecretText(response);
  return made;
}

// A conversation as agents send it: each call repeats what was said before.
class Conversation {
 public:
  explicit Conversation(std::string name) : name_(std::move(name)) {}

  Call next(const std::string& tenant) {
    messages_.push_back(R"({"role":"user","content":")" + name_ + " asks question " +
                        std::to_string(count_) + std::string(80, '?') + "\"}");
    const std::string number = std::to_string(count_++);
    Call made = call(
        name_ + number, tenant, "",
        R"({"choices":[{"message":{"role":"assistant","content":"answer )" + number + "\"}}]}");
    std::string request = R"({"model":"gpt-4o","messages":[)";
    for (const std::string& message : messages_) {
      if (!request.ends_with('[')) request += ", ";
      made.repeated.push_back({.begin = request.size(), .bytes = message.size()});
      request += message;
    }
    made.request = SecretText(request + "],\"temperature\":0}");
    return made;
  }

 private:
  std::string name_;
  std::vector<std::string> messages_;
  int count_ = 0;
};

class SegmentTest : public testing::Test {
 protected:
  SegmentTest() {
    std::string name = (fs::temp_directory_path() / "understudy-segment-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
    curator_ = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
    auditor_ = crypto::load_secret_key(home_->keys(), crypto::Role::auditor).value();
  }
  ~SegmentTest() override { fs::remove_all(directory_); }

  SegmentWriter create() { return SegmentWriter::create(*home_, SegmentKind::calls).value(); }
  static Status append(const Call& one, SegmentWriter& segment) {
    std::string metadata;
    return segment.append(view_of(one, metadata));
  }
  fs::path write(const std::vector<Call>& calls) {
    SegmentWriter segment = create();
    for (const Call& one : calls) EXPECT_TRUE(append(one, segment));
    EXPECT_TRUE(segment.close());
    return segment.path();
  }
  void put(const fs::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;  // thousands: without fsync
  }

  struct Read {
    std::vector<Call> calls;
    std::optional<Error> error;
    Tail tail;
  };
  Read read(const fs::path& path, const crypto::SecretKey& key) {
    Read result;
    const SegmentKeys keys{.keys_dir = home_->keys(), .readers = {key}};
    auto reader = SegmentReader::open(path, keys);
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
      if (auto* read_call = std::get_if<Call>(&**record)) {
        result.calls.push_back(std::move(*read_call));
      }
    }
    result.tail = reader->tail();
    return result;
  }

  // The file's index, as a reader with the auditor's key makes it, and where its calls are.
  struct Indexed {
    SegmentIndex index;
    std::vector<std::uint64_t> places;
  };
  Indexed index_of(const fs::path& path) {
    Indexed made;
    const SegmentKeys keys{.keys_dir = home_->keys(), .readers = {auditor_}};
    auto reader = SegmentReader::open(path, keys).value();
    reader.index_into(made.index);
    while (const auto record = reader.next().value()) made.places.push_back(reader.records() - 1);
    return made;
  }
  Result<std::optional<Call>> open_call(const fs::path& path, const Indexed& known,
                                        std::size_t number) {
    const SegmentKeys keys{.keys_dir = home_->keys(), .readers = {curator_}};
    return SegmentReader::open(path, keys).value().open_call(known.index, known.places[number]);
  }

  fs::path directory_;
  std::optional<Home> home_;
  crypto::SecretKey curator_;
  crypto::SecretKey auditor_;
};

TEST_F(SegmentTest, EveryFieldOfACallComesBack) {
  Call made = call("0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000", "00112233445566aa", "{\"q\":1}", "{}");
  made.parent = {"not a uuid"};
  made.step = 7;
  made.api = "messages";
  made.upstream = "main";
  made.served_model = "gpt-4o-2024-08-06";
  made.route = {.server = Server::slm,
                .task = "t-1",
                .artifact = "a-1",
                .reason = "accepted",
                .confidence = 0.75};
  made.origin.user = "u";
  made.origin.key = "k";
  made.origin.address = "a";
  made.human_facing = true;
  made.training_allowed = false;
  made.tool_results = {{.tool_call_id = "call_1", .tool = "find", .item = 3},
                       {.tool_call_id = "call_2", .tool = "", .item = 0}};
  made.finish_reason = "tool_calls";
  made.usage = {
      .prompt_tokens = 12, .completion_tokens = 3, .cached_prompt_tokens = 4, .estimated = true};
  made.status = CallStatus::truncated;
  made.http_status = 429;
  made.error = "rate_limit";
  made.retries = 2;
  made.reward = 0.5;
  made.cost_usd = 0.0125;
  const Read back = read(write({made}), curator_);
  ASSERT_FALSE(back.error) << back.error->message;
  ASSERT_EQ(back.calls.size(), 1u);
  EXPECT_EQ(json::to_text(to_json(back.calls[0])), json::to_text(to_json(made)));
  EXPECT_EQ(back.calls[0].content_bytes.request, 7u);
  EXPECT_EQ(back.calls[0].content, ContentState::whole);
  EXPECT_TRUE(back.tail.closed);
}

TEST_F(SegmentTest, ConversationsComeBackByteForByteAndAreStoredOnce) {
  std::vector<Call> calls;
  std::vector<Conversation> talks = {Conversation("ann"), Conversation("ben")};
  std::size_t request_bytes = 0;
  for (int turn = 0; turn < 40; ++turn) {
    for (std::size_t i = 0; i < talks.size(); ++i) {
      calls.push_back(talks[i].next(i == 0 ? "tenant-a" : "tenant-b"));
      request_bytes += calls.back().request.reveal().size();
    }
  }
  const fs::path path = write(calls);
  const Read back = read(path, curator_);
  ASSERT_FALSE(back.error) << back.error->message;
  ASSERT_EQ(back.calls.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ASSERT_EQ(back.calls[i].request.reveal(), calls[i].request.reveal()) << i;
    ASSERT_EQ(back.calls[i].response.reveal(), calls[i].response.reveal()) << i;
  }
  // 80 calls with 41 * 20 parts each way: 200 KB of requests, of which 10 KB are new.
  EXPECT_LT(fs::file_size(path), request_bytes / 5);
}

TEST_F(SegmentTest, OneCallIsOpenedWithoutThoseBeforeIt) {
  std::vector<Call> calls;
  std::vector<Conversation> talks = {Conversation("ann"), Conversation("ben")};
  for (int turn = 0; turn < 80; ++turn) {
    for (std::size_t i = 0; i < talks.size(); ++i)
      calls.push_back(talks[i].next(i == 0 ? "tenant-a" : "tenant-b"));
  }
  const fs::path path = write(calls);
  const Indexed known = index_of(path);
  ASSERT_EQ(known.places.size(), calls.size());
  for (const std::size_t i : {0UZ, 1UZ, 63UZ, 64UZ, 100UZ, calls.size() - 1}) {
    const auto opened = open_call(path, known, i);
    ASSERT_TRUE(opened && *opened) << i;
    EXPECT_EQ((*opened)->id, calls[i].id);
    EXPECT_EQ((*opened)->origin.tenant, calls[i].origin.tenant);
    EXPECT_EQ((*opened)->request.reveal(), calls[i].request.reveal()) << i;
    EXPECT_EQ((*opened)->response.reveal(), calls[i].response.reveal()) << i;
  }
}

TEST_F(SegmentTest, ACallIsNotOpenedBehindRecordsThatWereChanged) {
  std::vector<Call> calls;
  Conversation talk("ann");
  for (int turn = 0; turn < 20; ++turn) calls.push_back(talk.next("t"));
  const fs::path path = write(calls);
  const Indexed known = index_of(path);
  ASSERT_TRUE(open_call(path, known, 10));
  const std::string sound = read_file(path).value();
  const std::size_t header = 80 + 2 * 88;
  std::size_t refused = 0;
  // Most bytes before the call count: its chain runs over each record's last tag, its parts come
  // from other calls. What is neither read nor chained on the way, verify finds.
  for (std::size_t at = header; at < sound.size() / 4; at += 7) {
    std::string bytes = sound;
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ 4U);
    put(path, bytes);
    const auto opened = open_call(path, known, 10);
    if (!opened) {
      EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
      ++refused;
    } else if (*opened) {
      ASSERT_EQ((*opened)->request.reveal(), calls[10].request.reveal()) << at;
    }
  }
  EXPECT_GT(refused, 50u);
  put(path, sound.substr(0, sound.size() / 8));
  EXPECT_EQ(open_call(path, known, 10).error().code, ErrorCode::corrupt);
  // Another file in its place.
  put(path, read_file(write(calls)).value());
  EXPECT_EQ(open_call(path, known, 10).error().code, ErrorCode::conflict);
}

TEST_F(SegmentTest, APartTheWriterForgotIsStoredAgain) {
  // More distinct parts than the table has room for, then the first ones once more.
  constexpr int parts_each = 500;
  const auto with_parts = [](int first) {
    Call made = call("c" + std::to_string(first), "", "", "");
    std::string request = "[";
    for (int i = first; i < first + parts_each; ++i) {
      const std::string part = "part " + std::to_string(i) + std::string(60, '.');
      made.repeated.push_back({.begin = request.size(), .bytes = part.size()});
      request += part + ",";
    }
    made.request = SecretText(request + "]");
    return made;
  };
  std::vector<Call> calls;
  for (int first = 0; first < static_cast<int>(limits::part_table_slots) + 20'000;
       first += parts_each) {
    calls.push_back(with_parts(first));
  }
  for (int first = 0; first < 5000; first += parts_each) calls.push_back(with_parts(first));
  const Read back = read(write(calls), curator_);
  ASSERT_FALSE(back.error) << back.error->message;
  ASSERT_EQ(back.calls.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ASSERT_EQ(back.calls[i].request.reveal(), calls[i].request.reveal()) << i;
  }
}

TEST_F(SegmentTest, RangesThatDoNotFitTheRequestAreText) {
  Call made = call("a", "", std::string(200, 'x'), "");
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
  made.repeated = {{.begin = 10, .bytes = 70},
                   {.begin = 5, .bytes = 80},
                   {.begin = 90, .bytes = huge},
                   {.begin = huge, .bytes = 100},
                   {.begin = 150, .bytes = 64}};
  const Read back = read(write({made}), curator_);
  ASSERT_FALSE(back.error);
  EXPECT_EQ(back.calls[0].request.reveal(), made.request.reveal());
}

TEST_F(SegmentTest, TheAuditorSeesMetadataAndNoContent) {
  const fs::path path = write({call("a", "t", "a secret question", "a secret answer")});
  const Read back = read(path, auditor_);
  ASSERT_FALSE(back.error) << back.error->message;
  ASSERT_EQ(back.calls.size(), 1u);
  EXPECT_EQ(back.calls[0].requested_model, "gpt-4o");
  EXPECT_EQ(back.calls[0].origin.tenant, "t");
  EXPECT_TRUE(back.calls[0].request.empty());
  EXPECT_TRUE(back.calls[0].response.empty());
  EXPECT_EQ(back.calls[0].content, ContentState::withheld);
  EXPECT_EQ(back.calls[0].content_bytes.request, 17u);
}

TEST_F(SegmentTest, NobodyElseOpensIt) {
  const fs::path path = write({call("a", "t", "q", "r")});
  for (const crypto::Role role : {crypto::Role::trainer, crypto::Role::admin}) {
    const Read denied = read(path, crypto::load_secret_key(home_->keys(), role).value());
    ASSERT_TRUE(denied.error);
    EXPECT_EQ(denied.error->code, ErrorCode::denied);
    EXPECT_THAT(denied.error->message, HasSubstr(path.string()));
  }
}

TEST_F(SegmentTest, AnErasedTenantIsUnreadableAndTheRestAndTheChainStay) {
  const fs::path path = write({call("a1", "tenant-a", "question of a", "r"),
                               call("b1", "tenant-b", "question of b", "r"),
                               call("a2", "tenant-a", "question of a", "r")});
  const fs::path sealed = home_->keys() / "tenants/tenant-a.key.sealed";
  const std::string copy = read_file(sealed).value();
  ASSERT_TRUE(crypto::erase_tenant_keys(home_->keys(), "tenant-a").value());
  EXPECT_FALSE(fs::exists(sealed));
  EXPECT_FALSE(fs::exists(home_->keys() / "tenants/tenant-a.pub"));
  const Read back = read(path, curator_);
  ASSERT_FALSE(back.error) << back.error->message;
  ASSERT_EQ(back.calls.size(), 3u);
  EXPECT_EQ(back.calls[0].content, ContentState::erased);
  EXPECT_TRUE(back.calls[0].request.empty());
  EXPECT_EQ(back.calls[0].origin.tenant, "tenant-a");  // metadata stays
  EXPECT_EQ(back.calls[1].request.reveal(), "question of b");
  EXPECT_EQ(back.calls[2].content, ContentState::erased);
  EXPECT_TRUE(back.tail.closed);
  EXPECT_FALSE(crypto::erase_tenant_keys(home_->keys(), "tenant-a").value());

  // The tenant comes back: a key of its own, which opens nothing of before.
  const fs::path later = write({call("a3", "tenant-a", "again", "r")});
  EXPECT_EQ(read(later, curator_).calls[0].request.reveal(), "again");
  EXPECT_EQ(read(path, curator_).calls[0].content, ContentState::erased);

  // What the threat model says about backups of the keys: they undo it.
  ASSERT_TRUE(write_file_atomically(sealed, copy, FileMode::owner_only));
  EXPECT_EQ(read(path, curator_).calls[0].request.reveal(), "question of a");
}

TEST_F(SegmentTest, ErasureReachesTheOpenSegment) {
  SegmentWriter segment = create();
  ASSERT_TRUE(append(call("a1", "t", "before", "r"), segment));
  ASSERT_TRUE(crypto::erase_tenant_keys(home_->keys(), "t"));
  segment.forget_changed_tenants();
  ASSERT_TRUE(append(call("a2", "t", "after", "r"), segment));
  ASSERT_TRUE(segment.close());
  const Read back = read(segment.path(), curator_);
  ASSERT_EQ(back.calls.size(), 2u);
  EXPECT_EQ(back.calls[0].content, ContentState::erased);
  EXPECT_EQ(back.calls[1].request.reveal(), "after");
}

TEST_F(SegmentTest, AnyFlippedBitAnywhereIsRefusedWithEitherKey) {
  std::vector<Call> calls;
  Conversation talk("ann");
  for (int i = 0; i < 2; ++i) calls.push_back(talk.next("t"));
  const fs::path path = write(calls);
  const std::string sound = read_file(path).value();
  const fs::path changed = directory_ / "changed";
  for (const crypto::SecretKey* key : {&curator_, &auditor_}) {
    // Each open costs three curve operations: every byte with one key, every third with the other.
    const std::size_t stride = key == &curator_ ? 1 : 3;
    for (std::size_t at = 0; at < sound.size(); at += stride) {
      std::string bytes = sound;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << (at % 8)));
      put(changed, bytes);
      const Read back = read(changed, *key);
      ASSERT_TRUE(back.error) << "byte " << at;
      ASSERT_LE(back.calls.size(), calls.size());
      for (std::size_t i = 0; i < back.calls.size(); ++i) {
        ASSERT_EQ(back.calls[i].id, calls[i].id) << "byte " << at;
        if (key == &curator_) {
          ASSERT_EQ(back.calls[i].request.reveal(), calls[i].request.reveal()) << "byte " << at;
        }
      }
    }
  }
}

TEST_F(SegmentTest, AFlippedBitOfAnErasedTenantIsRefusedToo) {
  const fs::path path = write({call("a", "t", std::string(300, 'q'), "r")});
  ASSERT_TRUE(crypto::erase_tenant_keys(home_->keys(), "t").value());
  std::string bytes = read_file(path).value();
  ASSERT_FALSE(read(path, curator_).error);
  const std::size_t end_record = 16 + 32 + 33;  // fields, front MAC, sealed kind byte and its tag
  bytes[bytes.size() - end_record - 10] ^= 1;   // inside the content that nobody can open
  put(path, bytes);
  const Read back = read(path, curator_);
  ASSERT_TRUE(back.error);
  EXPECT_EQ(back.error->code, ErrorCode::corrupt);
}

TEST_F(SegmentTest, ASegmentCutAnywhereKeepsItsWholeRecords) {
  std::vector<Call> calls;
  Conversation talk("ann");
  for (int i = 0; i < 3; ++i) calls.push_back(talk.next("t"));
  const fs::path path = write(calls);
  const std::string sound = read_file(path).value();
  const std::size_t header_bytes = 48 + 2 * 88 + 32;
  const fs::path cut = directory_ / "cut";
  std::size_t before = 0;
  for (std::size_t size = 0; size < sound.size(); size += 3) {
    put(cut, sound.substr(0, size));
    const Read back = read(cut, curator_);
    if (size < header_bytes) {
      ASSERT_TRUE(back.error) << size;
      ASSERT_EQ(back.error->code, ErrorCode::corrupt) << size;
      continue;
    }
    ASSERT_FALSE(back.error) << size << ": " << back.error->message;
    ASSERT_FALSE(back.tail.closed) << size;
    ASSERT_GE(back.calls.size(), before);
    ASSERT_LE(back.calls.size(), before + 1);
    before = back.calls.size();
  }
  EXPECT_EQ(before, 3u);
  put(cut, sound.substr(0, sound.size() - 1) + std::string(4000, '\0'));
  EXPECT_TRUE(read(cut, curator_).error);  // bytes that are not zero are behind the last record
  put(cut, sound + "more");
  EXPECT_EQ(read(cut, curator_).error->code, ErrorCode::corrupt);
}

TEST_F(SegmentTest, RecordsOfAnotherSegmentOrPlaceAreRefused) {
  const std::vector<Call> calls = {call("a", "t", std::string(100, 'q'), "r"),
                                   call("b", "t", std::string(100, 'q'), "r")};
  const fs::path one = write(calls);
  const std::string first = read_file(one).value();
  const std::string second = read_file(write(calls)).value();
  const std::size_t header_bytes = 48 + 2 * 88 + 32;
  put(one, first.substr(0, header_bytes) + second.substr(header_bytes));
  const Read foreign = read(one, curator_);
  ASSERT_TRUE(foreign.error);
  EXPECT_THAT(foreign.error->message, HasSubstr("record 0"));
}

TEST_F(SegmentTest, SegmentsOfTheSlowerCipherAreRead) {
  // What a machine without AES instructions writes. The header says so; the rest follows from it.
  const crypto::SegmentCipher cipher(crypto::CipherKind::xchacha20_poly1305,
                                     SecretText(std::string(32, 'k')));
  std::string sealed;
  const crypto::SegmentNonce nonce{.index = 3, .salt = 4, .part = 2};
  cipher.encrypt("text", nonce, "place", sealed);
  EXPECT_EQ(cipher.decrypt(sealed, nonce, "place")->reveal(), "text");
  EXPECT_FALSE(cipher.decrypt(sealed, nonce, "other"));
  EXPECT_FALSE(cipher.decrypt(sealed, {.index = 3, .salt = 4, .part = 1}, "place"));
  EXPECT_FALSE(cipher.decrypt(sealed, {.index = 3, .salt = 5, .part = 2}, "place"));
}

TEST_F(SegmentTest, SegmentsOfVersion1AreStillRead) {
  namespace old = version_1_fixture;
  ASSERT_TRUE(write_file_atomically(home_->log() / "01a20c61-b8da-7a56-9164-fb9f2fa43c71.sealed",
                                    crypto::unhex(old::segment_hex)));
  const auto put_key = [this](const std::string& name, std::string_view label,
                              std::string_view hex) {
    ASSERT_TRUE(write_file_atomically(home_->keys() / name,
                                      std::string(label) + "\n" + std::string(hex) + "\n",
                                      FileMode::owner_only));
  };
  put_key("curator.key", "understudy secret key: curator (X25519)", old::curator_secret_hex);
  put_key("curator.pub", "understudy public key: curator (X25519)", old::curator_public_hex);
  write({call("new", "t", "q", "r")});
  const auto curator = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
  std::vector<Call> calls;
  const auto visit = [&calls](Call one) -> Status {
    calls.push_back(std::move(one));
    return {};
  };
  LogIndex index;
  const auto report = read_call_log(*home_, curator, visit, {.index = &index});
  ASSERT_TRUE(report) << report.error().to_text();
  EXPECT_TRUE(report->corrupt.empty());
  ASSERT_EQ(calls.size(), 4u);
  for (std::size_t i = 0; i < calls.size(); ++i)  // those of version 1 from their segment's start
    EXPECT_EQ(store::open_call(*home_, curator, index, i)->id, calls[i].id);
  const auto& middle = *std::ranges::find(calls, "01900000-0000-7000-8000-000000000001",
                                          [](const Call& one) { return one.id.value; });
  EXPECT_THAT(middle.request.reveal(), HasSubstr("question 1"));
  EXPECT_THAT(middle.response.reveal(), HasSubstr("answer 1"));
  EXPECT_EQ(middle.usage.prompt_tokens, 21);
  EXPECT_EQ(middle.retries, 1);
  EXPECT_EQ(middle.reward, 0.5);

  // The auditor cannot open it, and is told; what is newer it reads.
  calls.clear();
  const auto audited = read_call_log(*home_, auditor_, visit);
  ASSERT_TRUE(audited);
  EXPECT_EQ(calls.size(), 1u);
  EXPECT_THAT(audited->warnings, ElementsAre(HasSubstr("version 1")));

  // Rotated: the old segments open with the former keys.
  ASSERT_TRUE(crypto::rotate_role_keys(home_->keys(), crypto::Role::curator));
  write({call("newer", "t", "q", "r")});
  const auto rotated = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
  calls.clear();
  const auto again = read_call_log(*home_, rotated, visit);
  ASSERT_TRUE(again) << again.error().to_text();
  EXPECT_EQ(calls.size(), 5u);
  EXPECT_TRUE(std::ranges::none_of(
      calls, [](const Call& one) { return one.content != ContentState::whole; }));
}

}  // namespace
}  // namespace understudy::store
