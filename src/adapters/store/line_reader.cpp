#include "adapters/store/line_reader.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr unsigned buffer_bytes = 256 * limits::kibi;

struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

}  // namespace

struct LineReader::State {
  std::filesystem::path path;
  std::unique_ptr<gzFile_s, CloseGzip> file;
  std::vector<char> buffer;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t line = 0;

  // False at the end of the file.
  Result<bool> fill() {
    const int count = gzread(file.get(), buffer.data(), buffer_bytes);
    int code = Z_OK;
    const char* message = gzerror(file.get(), &code);
    if (count < 0 || (count == 0 && code == Z_BUF_ERROR)) {
      return fail(ErrorCode::corrupt,
                  path.string() + ":" + std::to_string(line + 1) +
                      ": the gzip data is damaged or cut short (" +
                      (code == Z_ERRNO ? std::strerror(errno) : message) + ")",
                  "fetch the file again; the lines before it were read");
    }
    begin = 0;
    end = static_cast<std::size_t>(count);
    return count > 0;
  }
};

LineReader::LineReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::open(const std::filesystem::path& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
    return fail(ErrorCode::invalid_input, path.string() + " is a directory",
                "name its files: " + (path / "*.jsonl*").string());
  }
  auto state = std::make_unique<State>();
  state->path = path;
  state->file.reset(gzopen(path.c_str(), "rb"));
  if (!state->file)
    return fail(ErrorCode::not_found, "cannot open " + path.string() + ": " + std::strerror(errno));
  state->buffer.resize(buffer_bytes);
  return LineReader(std::move(state));
}

Result<std::optional<std::string>> LineReader::next() {
  State& state = *state_;
  std::string text;
  bool any = false;
  while (true) {
    if (state.begin == state.end && !TRY(state.fill())) break;
    any = true;
    const char* start = state.buffer.data() + state.begin;
    const auto* newline =
        static_cast<const char*>(std::memchr(start, '\n', state.end - state.begin));
    const std::size_t count =
        newline != nullptr ? static_cast<std::size_t>(newline - start) : state.end - state.begin;
    text.append(start, count);
    state.begin += count + (newline != nullptr ? 1 : 0);
    if (text.size() > limits::jsonl_line_bytes_max) {
      return fail(ErrorCode::exhausted, state.path.string() + ":" + std::to_string(state.line + 1) +
                                            ": a line of more than " +
                                            std::to_string(limits::jsonl_line_bytes_max) +
                                            " bytes");
    }
    if (newline != nullptr) break;
  }
  if (!any) return std::nullopt;
  ++state.line;
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::uint64_t LineReader::line() const { return state_->line; }

}  // namespace understudy::store
