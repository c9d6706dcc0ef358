// SQLite behind our types: a connection, and statements with bound text. For this folder only. One
// thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct sqlite3;

namespace understudy::store {

class Sqlite {
 public:
  static Result<Sqlite> open(const std::string& path);

  Status execute(std::string_view sql) const;  // one or more statements without parameters
  Status execute(std::string_view sql, std::span<const std::string> parameters) const;
  // Calls `row` with the columns of each row as text; NULL is empty.
  Status query(std::string_view sql, std::span<const std::string> parameters,
               const std::function<Status(const std::vector<std::string>&)>& row) const;
  // BEGIN IMMEDIATE, work, COMMIT; ROLLBACK when `work` fails.
  Status in_transaction(const std::function<Status()>& work) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit Sqlite(sqlite3* connection) : connection_(connection) {}
  [[nodiscard]] std::unexpected<Error> failure(std::string_view what) const;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace understudy::store
