#include "steps/s1_capture/import_history.hpp"

#include <fstream>
#include <sstream>

#include "adapters/crypto/record_cipher.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::s1 {

namespace {

// Chunk by chunk: a file may be larger than the memory.
Result<std::string> digest_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "cannot open " + path.string());
  std::string chunk(limits::mebi, '\0');
  std::string digest;
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    digest = crypto::hash(
        digest, std::string_view(chunk).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  return digest;
}

}  // namespace

Result<ImportHistory> ImportHistory::open(const store::Home& home, const Pseudonyms& pseudonyms) {
  ImportHistory history(home.log() / "imported.txt", pseudonyms);
  auto text = read_file(history.list_);
  if (!text && text.error().code != ErrorCode::not_found) return fail(text.error());
  if (text) history.text_ = std::move(*text);
  std::istringstream lines(history.text_);
  for (std::string line; std::getline(lines, line);) history.known_.insert(line);
  return history;
}

Result<bool> ImportHistory::add(const std::filesystem::path& path) {
  const std::string name = pseudonyms_.of("import", TRY(digest_of(path)));
  if (!known_.insert(name).second) return true;
  text_ += name + "\n";
  TRY(write_file_atomically(list_, text_, FileMode::owner_only));
  return false;
}

}  // namespace understudy::s1
