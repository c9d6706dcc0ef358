// Any bytes as a sealed file: the reader must answer with records, a tail or an error. A quarter of
// the inputs are patched into a sound file, so that the fuzzer gets behind the header's checksum.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "adapters/store/sealed_file.hpp"
#include "base/check.hpp"
#include "base/files.hpp"

namespace {

using namespace understudy;

struct Setting {
  std::filesystem::path directory;
  crypto::SecretKey reader;
  std::string sound;
};

Setting make_setting() {
  std::string name = "/tmp/understudy-fuzz-XXXXXX";
  CHECK(::mkdtemp(name.data()) != nullptr, "there is room in /tmp");
  Setting setting{.directory = name, .reader = {}, .sound = {}};
  CHECK(crypto::init_keys(setting.directory / "keys").has_value(), "keys can be made");
  setting.reader =
      crypto::load_secret_key(setting.directory / "keys", crypto::Role::curator).value();
  auto writer = store::SealedWriter::create(setting.directory / "sound",
                                            std::array{setting.reader.public_key})
                    .value();
  for (int i = 0; i < 4; ++i) {
    CHECK(writer.append(std::string(static_cast<std::size_t>(i) * 50, 'x')).has_value(), "written");
  }
  CHECK(writer.close().has_value(), "written");
  setting.sound = read_file(setting.directory / "sound").value();
  return setting;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Setting setting = make_setting();
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size > 3 && data[0] % 4 == 0) {
    const std::size_t at = (data[1] * 256u + data[2]) % setting.sound.size();
    std::string patched = setting.sound;
    patched.replace(at, std::min(size - 3, patched.size() - at), bytes.substr(3));
    bytes = std::move(patched);
  }
  const auto path = setting.directory / "input";
  std::ofstream(path, std::ios::binary) << bytes;  // thousands: without fsync
  auto reader = store::SealedReader::open(path, setting.reader);
  if (!reader) return 0;
  while (true) {
    const auto record = reader->next();
    if (!record || !*record) break;
    CHECK((*record)->reveal().find_first_not_of('x') == std::string::npos,
          "no record but those that were written is ever read");
  }
  return 0;
}
