// Any bytes as a segment of version 2, most of them patched into a sound one: the reader must
// answer with the calls that were written, a tail or an error. And any bytes as a call's content
// behind the encryption.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "adapters/store/call_content.hpp"
#include "adapters/store/segment_reader.hpp"
#include "adapters/store/segment_writer.hpp"
#include "base/check.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace {

using namespace understudy;

struct Setting {
  std::filesystem::path directory;
  store::SegmentKeys keys;
  std::string sound;
};

Setting make_setting() {
  std::string name = "/tmp/understudy-fuzz-XXXXXX";
  CHECK(::mkdtemp(name.data()) != nullptr, "there is room in /tmp");
  const auto home = store::Home::open(name).value();
  CHECK(crypto::init_keys(home.keys()).has_value(), "keys can be made");
  Setting setting{
      .directory = name,
      .keys = {.keys_dir = home.keys(),
               .readers = {crypto::load_secret_key(home.keys(), crypto::Role::curator).value()}},
      .sound = {}};
  auto segment =
      store::SegmentWriter::create(home, store::segment_format::SegmentKind::calls).value();
  for (int i = 0; i < 4; ++i) {
    Call call;
    call.id = {"x"};
    call.request = SecretText(std::string(static_cast<std::size_t>(i) * 90, 'x'));
    if (i > 1) call.repeated = {{.begin = 0, .bytes = 80}};
    std::string metadata;
    CHECK(segment.append(store::view_of(call, metadata)).has_value(), "written");
  }
  CHECK(segment.close().has_value(), "written");
  setting.sound = read_file(segment.path()).value();
  return setting;
}

void decode_content(std::string_view bytes) {
  store::ReadParts parts;
  CHECK(parts.add(std::string(100, 'p')).has_value(), "there is room");
  const auto content = store::parse_content(bytes, parts);
  if (!content) return;
  CHECK(content->request.reveal().size() <= limits::record_bytes_max, "the limit holds");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Setting setting = make_setting();
  std::string bytes(reinterpret_cast<const char*>(data), size);
  decode_content(bytes);
  if (size > 3 && data[0] % 4 != 0) {
    const std::size_t at = (data[1] * 256u + data[2]) % setting.sound.size();
    std::string patched = setting.sound;
    patched.replace(at, std::min(size - 3, patched.size() - at), bytes.substr(3));
    bytes = std::move(patched);
  }
  const auto path = setting.directory / "input";
  std::ofstream(path, std::ios::binary) << bytes;  // thousands: without fsync
  auto reader = store::SegmentReader::open(path, setting.keys);
  if (!reader) return 0;
  while (true) {
    const auto record = reader->next();
    if (!record || !*record) break;
    const Call* call = std::get_if<Call>(&**record);
    CHECK(call != nullptr && call->id.value == "x" &&
              call->request.reveal().find_first_not_of('x') == std::string::npos,
          "no call but those that were written is ever read");
  }
  return 0;
}
