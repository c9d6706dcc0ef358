#include "adapters/store/sqlite.hpp"

#include <sqlite3.h>

#include <chrono>
#include <thread>

#include "base/clock.hpp"

namespace understudy::store {

namespace {

constexpr int busy_timeout_ms = 10'000;  // another process of ours holds the file for milliseconds

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

void Sqlite::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

std::unexpected<Error> Sqlite::failure(std::string_view what) const {
  const int code = sqlite3_errcode(connection_.get());
  const std::string message =
      "metadata.db: " + std::string(what) + ": " + sqlite3_errmsg(connection_.get());
  if (code == SQLITE_FULL)
    return fail(ErrorCode::exhausted, message, "free some space on that disk");
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return fail(ErrorCode::corrupt, message,
                "move metadata.db away and run `understudy cluster` again");
  }
  if (code == SQLITE_BUSY)
    return fail(ErrorCode::unavailable, message,
                "another understudy process is writing; try again");
  return fail(ErrorCode::internal, message);
}

Result<Sqlite> Sqlite::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Sqlite database(raw);
  if (code != SQLITE_OK) return database.failure("cannot open " + path);
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  TRY(database.execute("PRAGMA foreign_keys = ON"));
  // Turning a new file over to WAL takes a lock for which SQLite does not call the busy handler
  // where two processes do it at once: we wait ourselves.
  const Stopwatch watch;
  while (true) {
    const Status status = database.execute("PRAGMA journal_mode = WAL");
    if (status) return database;
    const bool is_busy = status.error().code == ErrorCode::unavailable;
    if (!is_busy || watch.elapsed_us() > busy_timeout_ms * 1000) return fail(status.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Status Sqlite::execute(std::string_view sql) const {
  if (sqlite3_exec(connection_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr) !=
      SQLITE_OK)
    return failure("statement");
  return {};
}

Status Sqlite::execute(std::string_view sql, std::span<const std::string> parameters) const {
  return query(sql, parameters, [](const auto&) -> Status { return {}; });
}

Status Sqlite::query(std::string_view sql, std::span<const std::string> parameters,
                     const std::function<Status(const std::vector<std::string>&)>& row) const {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &raw,
                         nullptr) != SQLITE_OK) {
    return failure("statement");
  }
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(raw);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    sqlite3_bind_text64(raw, static_cast<int>(i + 1), parameters[i].data(), parameters[i].size(),
                        SQLITE_STATIC, SQLITE_UTF8);
  }
  while (true) {
    const int code = sqlite3_step(raw);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return failure("statement");
    std::vector<std::string> columns;
    for (int i = 0; i < sqlite3_column_count(raw); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, i));
      columns.emplace_back(text != nullptr ? text : "",
                           static_cast<std::size_t>(sqlite3_column_bytes(raw, i)));
    }
    TRY(row(columns));
  }
}

Status Sqlite::in_transaction(const std::function<Status()>& work) const {
  TRY(execute("BEGIN IMMEDIATE"));
  Status status = work();
  if (status) status = execute("COMMIT");
  if (!status && !sqlite3_get_autocommit(connection_.get())) {
    const Status undone = execute("ROLLBACK");
    if (!undone) return undone;
  }
  return status;
}

}  // namespace understudy::store
