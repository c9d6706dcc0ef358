// understudy-parquet.so: Parquet files by Apache Arrow. adapters/parquet/parquet_file.cpp opens it.
#include <arrow/io/file.h>
#include <fcntl.h>
#include <parquet/exception.h>
#include <parquet/stream_writer.h>
#include <unistd.h>

#include <utility>

#include "adapters/parquet/parquet_file.hpp"
#include "base/own_library.hpp"

UNDERSTUDY_OWN_LIBRARY;

namespace understudy::parquet_file {
namespace {

constexpr std::int64_t row_group_bytes_max = std::int64_t{16} << 20;

std::shared_ptr<parquet::schema::GroupNode> schema_of(std::span<const Column> columns) {
  parquet::schema::NodeVector fields;  // Arrow's tree is of shared nodes
  for (const Column& column : columns) {
    const bool text = column.kind == Column::Kind::text;
    fields.push_back(parquet::schema::PrimitiveNode::Make(
        column.name, parquet::Repetition::REQUIRED,
        text ? parquet::LogicalType::String() : parquet::LogicalType::Int(64, true),
        text ? parquet::Type::BYTE_ARRAY : parquet::Type::INT64));
  }
  return std::static_pointer_cast<parquet::schema::GroupNode>(
      parquet::schema::GroupNode::Make("schema", parquet::Repetition::REQUIRED, fields));
}

class StreamFile : public Writer {
 public:
  StreamFile(std::shared_ptr<arrow::io::FileOutputStream> file, std::span<const Column> columns,
             std::string path)
      : path_(std::move(path)), file_(std::move(file)) {
    const auto properties =
        parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
    stream_ = parquet::StreamWriter(
        parquet::ParquetFileWriter::Open(file_, schema_of(columns), properties));
    stream_.SetMaxRowGroupSize(row_group_bytes_max);
  }

  Status add_row(std::span<const Cell> cells) override {
    return guarded([&] {
      for (const Cell& cell : cells) {
        std::visit([&](const auto& value) { stream_ << value; }, cell);
      }
      stream_ << parquet::EndRow;
    });
  }

  Status close() override {
    return guarded([&] {
      stream_ = parquet::StreamWriter();  // writes the last row group and the footer
      PARQUET_THROW_NOT_OK(file_->Close());
    });
  }

 private:
  template <class Work>
  Status guarded(const Work& work) {
    try {
      work();
      return {};
    } catch (const std::exception& error) {
      return fail(ErrorCode::unavailable, "cannot write " + path_ + ": " + error.what());
    }
  }

  std::string path_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;  // as Arrow hands it out
  parquet::StreamWriter stream_;
};

Result<std::unique_ptr<Writer>> create_file(const std::filesystem::path& path,
                                            std::span<const Column> columns) {
  const int descriptor = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(ErrorCode::unavailable, "cannot create " + path.string());
  auto file = arrow::io::FileOutputStream::Open(descriptor);
  if (!file.ok()) {
    ::close(descriptor);
    return fail(ErrorCode::unavailable,
                "cannot write " + path.string() + ": " + file.status().ToString());
  }
  try {
    return std::make_unique<StreamFile>(*file, columns, path.string());
  } catch (const std::exception& error) {
    return fail(ErrorCode::unavailable, "cannot write " + path.string() + ": " + error.what());
  }
}

}  // namespace
}  // namespace understudy::parquet_file

extern "C" [[gnu::visibility("default")]] void understudy_create_parquet_file(
    const std::filesystem::path* path,
    const std::span<const understudy::parquet_file::Column>* columns,
    understudy::Result<std::unique_ptr<understudy::parquet_file::Writer>>* writer) {
  *writer = understudy::parquet_file::create_file(*path, *columns);
}
