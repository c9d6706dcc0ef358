#include "adapters/store/line_reader.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr std::size_t buffer_bytes = 256 * limits::kibi;
constexpr int gzip_only = 16 + MAX_WBITS;  // zlib's way to ask for the gzip wrapper
constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

// zlib's own gzread() takes a file that is cut in the middle for one that ends there, so this
// drives inflate() itself. Several gzip members behind each other are one text, as for gzip(1).
struct LineReader::State {
  std::filesystem::path path;
  std::unique_ptr<std::FILE, CloseFile> file;
  bool zipped = false;
  bool in_member = false;  // between a gzip member's first byte and its checksum
  z_stream inflater{};
  std::string input;   // as it is in the file; the inflater's next_in points into it
  std::string output;  // text, of which begin..end is not yet taken
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t line = 0;

  State() = default;
  ~State() { inflateEnd(&inflater); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<bool> fill();  // false at the end of the file
  Result<bool> fill_plain();
  Result<bool> fill_unzipped();
  Result<std::size_t> read_input();

  [[nodiscard]] std::unexpected<Error> damaged(std::string_view why) const {
    return fail(
        ErrorCode::corrupt,
        path.string() + ":" + std::to_string(line + 1) + ": the gzip data is " + std::string(why),
        "fetch the file again; the lines before it were read");
  }
};

Result<std::size_t> LineReader::State::read_input() {
  const std::size_t count = std::fread(input.data(), 1, buffer_bytes, file.get());
  if (count == 0 && std::ferror(file.get()) != 0) {
    return fail(ErrorCode::unavailable,
                "cannot read " + path.string() + ": " + std::strerror(errno));
  }
  return count;
}

Result<bool> LineReader::State::fill() {
  begin = 0;
  return zipped ? fill_unzipped() : fill_plain();
}

Result<bool> LineReader::State::fill_plain() {
  end = TRY(read_input());
  std::swap(input, output);
  return end > 0;
}

Result<bool> LineReader::State::fill_unzipped() {
  inflater.next_out = reinterpret_cast<Bytef*>(output.data());
  inflater.avail_out = static_cast<uInt>(buffer_bytes);
  while (inflater.avail_out == buffer_bytes) {
    if (inflater.avail_in == 0) {
      inflater.avail_in = static_cast<uInt>(TRY(read_input()));
      inflater.next_in = reinterpret_cast<Bytef*>(input.data());
      if (inflater.avail_in == 0) {
        if (in_member) return damaged("cut short");
        break;
      }
    }
    in_member = true;
    const int code = inflate(&inflater, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      in_member = false;
      inflateReset(&inflater);
    } else if (code != Z_OK) {
      return damaged(inflater.msg != nullptr ? "damaged: " + std::string(inflater.msg) : "damaged");
    }
  }
  end = buffer_bytes - inflater.avail_out;
  return end > 0;
}

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
  state->file.reset(std::fopen(path.c_str(), "rbe"));
  if (!state->file) {
    return fail(ErrorCode::not_found, "cannot open " + path.string() + ": " + std::strerror(errno));
  }
  state->input.resize(buffer_bytes);
  state->output.resize(buffer_bytes);
  const std::size_t first = TRY(state->read_input());
  state->zipped = std::string_view(state->input).substr(0, first).starts_with(gzip_magic);
  if (state->zipped) {
    CHECK(inflateInit2(&state->inflater, gzip_only) == Z_OK, "zlib has memory");
    state->inflater.next_in = reinterpret_cast<Bytef*>(state->input.data());
    state->inflater.avail_in = static_cast<uInt>(first);
  } else {
    std::swap(state->input, state->output);
    state->end = first;
  }
  return LineReader(std::move(state));
}

Result<std::optional<std::string>> LineReader::next() {
  State& state = *state_;
  std::string text;
  bool any = false;
  while (true) {
    if (state.begin == state.end && !TRY(state.fill())) break;
    any = true;
    const char* start = state.output.data() + state.begin;
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
  if (++state.line == 1 && text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::uint64_t LineReader::line() const { return state_->line; }

}  // namespace understudy::store
