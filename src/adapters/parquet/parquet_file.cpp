#include "adapters/parquet/parquet_file.hpp"

#include "base/own_library.hpp"

namespace understudy::parquet_file {

Result<std::unique_ptr<Writer>> create(const std::filesystem::path& path,
                                       std::span<const Column> columns) {
  using Create = void(const std::filesystem::path*, const std::span<const Column>*,
                      Result<std::unique_ptr<Writer>>*);
  auto* create_file = TRY(
      function_of_own_library<Create>("understudy-parquet.so", "understudy_create_parquet_file"));
  Result<std::unique_ptr<Writer>> writer;
  create_file(&path, &columns, &writer);
  return writer;
}

}  // namespace understudy::parquet_file
