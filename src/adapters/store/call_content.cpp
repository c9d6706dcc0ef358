#include "adapters/store/call_content.hpp"

#include "adapters/store/field_codec.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

std::unexpected<Error> malformed() { return fail(ErrorCode::corrupt, "its content is malformed"); }

// One repeated part, and the text before it.
struct Piece {
  std::uint64_t before_bytes = 0;
  std::uint64_t number = 0;  // + 1; 0: new
  std::uint64_t part_bytes = 0;
};

struct PieceTable {
  std::vector<Piece> pieces;
  std::uint64_t rest_bytes = 0;
  std::uint64_t response_bytes = 0;
};

// What stands before the text; `bytes` is left at the text.
Result<PieceTable> take_pieces(std::string_view& bytes) {
  PieceTable table;
  const auto count = take_varint(bytes);
  if (!count || *count > bytes.size()) return malformed();
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto before_bytes = take_varint(bytes);
    const auto number = take_varint(bytes);
    if (!before_bytes || !number) return malformed();
    const auto part_bytes = *number == 0 ? take_varint(bytes) : 0;
    if (!part_bytes) return malformed();
    table.pieces.push_back({*before_bytes, *number, *part_bytes});
  }
  const auto rest_bytes = take_varint(bytes);
  const auto response_bytes = take_varint(bytes);
  if (!rest_bytes || !response_bytes || *rest_bytes > bytes.size()) return malformed();
  table.rest_bytes = *rest_bytes;
  table.response_bytes = *response_bytes;
  return table;
}

}  // namespace

std::size_t put_content(const RecordView& call, WrittenParts& parts, PartTable& table,
                        std::string& out) {
  const std::string_view request = call.request;
  struct PartOfCall {
    std::string_view before;
    std::string_view part;
    PartTable::Address address{};
    std::uint32_t number = 0;
    bool is_new = false;
  };
  std::vector<PartOfCall> pieces;
  pieces.reserve(call.repeated.size());
  std::size_t at = 0;
  std::size_t new_bytes = 0;
  for (const TextRange& range : call.repeated) {
    // Ranges come from a scanner of foreign text: one that does not fit is plain text.
    if (range.begin < at || range.bytes < limits::part_bytes_min || range.begin > request.size() ||
        range.bytes > request.size() - range.begin)
      continue;
    const std::string_view part = request.substr(range.begin, range.bytes);
    pieces.push_back({.before = request.substr(at, range.begin - at),
                      .part = part,
                      .address = parts.addresser.of(part)});
    table.prefetch(pieces.back().address);
    at = range.begin + range.bytes;
  }
  for (PartOfCall& piece : pieces) {
    const auto known = table.find_or_add(piece.address, parts.count);
    piece.is_new = !known;
    piece.number = known.value_or(parts.count);
    if (!piece.is_new) continue;
    ++parts.count;
    new_bytes += piece.part.size();
  }
  const std::string_view rest = request.substr(at);
  put_varint(out, pieces.size());
  for (const PartOfCall& piece : pieces) {
    put_varint(out, piece.before.size());
    put_varint(out, piece.is_new ? 0 : std::uint64_t{piece.number} + 1);
    if (piece.is_new) put_varint(out, piece.part.size());
  }
  put_varint(out, rest.size());
  put_varint(out, call.response.size());
  for (const PartOfCall& piece : pieces) {
    out += piece.before;
    if (piece.is_new) out += piece.part;
  }
  out += rest;
  out += call.response;
  return new_bytes;
}

Result<std::vector<std::uint64_t>> parts_named_in(std::string_view bytes) {
  std::vector<std::uint64_t> named;
  for (const Piece& piece : TRY(take_pieces(bytes)).pieces) {
    if (piece.number > 0) named.push_back(piece.number - 1);
  }
  return named;
}

Result<std::vector<std::string_view>> new_parts_in(std::string_view bytes) {
  std::vector<std::string_view> parts;
  for (const Piece& piece : TRY(take_pieces(bytes)).pieces) {
    if (piece.before_bytes > bytes.size()) return malformed();
    bytes.remove_prefix(static_cast<std::size_t>(piece.before_bytes));
    if (piece.number > 0) continue;
    if (piece.part_bytes > bytes.size()) return malformed();
    parts.push_back(bytes.substr(0, static_cast<std::size_t>(piece.part_bytes)));
    bytes.remove_prefix(static_cast<std::size_t>(piece.part_bytes));
  }
  return parts;
}

Result<Content> parse_content(std::string_view bytes, ReadParts& parts) {
  const PieceTable table = TRY(take_pieces(bytes));
  const std::vector<Piece>& pieces = table.pieces;

  // What is here must be in `bytes`, what comes from earlier parts is known: a length that lies
  // makes nobody reserve memory for it.
  std::string request;
  std::uint64_t here_bytes = table.rest_bytes;
  std::uint64_t request_bytes = table.rest_bytes;
  for (const Piece& piece : pieces) {
    if (piece.before_bytes > bytes.size() || piece.part_bytes > bytes.size()) return malformed();
    here_bytes += piece.before_bytes + piece.part_bytes;
    request_bytes += piece.before_bytes + piece.part_bytes;
    if (piece.number > 0) request_bytes += parts.bytes_of(piece.number - 1).value_or(0);
    if (here_bytes > bytes.size() || request_bytes > limits::record_bytes_max) return malformed();
  }
  // At once, so that growing leaves no copies behind. A part that is new in this call and named
  // again in it comes on top.
  request.reserve(static_cast<std::size_t>(request_bytes));
  const auto take = [&bytes, &request](std::uint64_t size) {
    if (size > bytes.size()) return false;
    request += bytes.substr(0, static_cast<std::size_t>(size));
    bytes.remove_prefix(static_cast<std::size_t>(size));
    return request.size() <= limits::record_bytes_max;
  };
  const auto append = [&]() -> Status {
    for (const Piece& piece : pieces) {
      if (!take(piece.before_bytes)) return malformed();
      if (piece.number == 0) {
        if (piece.part_bytes > bytes.size()) return malformed();
        TRY(parts.add(bytes.substr(0, static_cast<std::size_t>(piece.part_bytes))));
        if (!take(piece.part_bytes)) return malformed();
        continue;
      }
      if (!parts.bytes_of(piece.number - 1)) return malformed();
      request += TRY(parts.find(piece.number - 1));
      if (request.size() > limits::record_bytes_max) return malformed();
    }
    return take(table.rest_bytes) && bytes.size() == table.response_bytes ? Status() : malformed();
  };
  if (const Status appended = append(); !appended) {
    wipe(request);
    return fail(appended.error());
  }
  return Content{.request = SecretText(std::move(request)),
                 .response = SecretText(std::string(bytes))};
}

}  // namespace understudy::store
