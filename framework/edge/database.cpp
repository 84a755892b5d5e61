#include "edge/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/error.h"

namespace coppice::edge {

Database::Database(const std::filesystem::path& file) : file_(file) {
  if (sqlite3_open(file.c_str(), &handle_) != SQLITE_OK) {
    const std::string why = handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory";
    sqlite3_close(handle_);
    throw core::Error(core::ErrorKind::Io,
                      fmt::format("can't open the database '{}': {}", file.string(), why));
  }
  try {
    sqlite3_busy_timeout(handle_, 5000);
    execute("PRAGMA journal_mode=WAL");
    sync_commits(false);
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() {
  sqlite3_close(handle_);
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(sql);
  }
}

void Database::sync_commits(bool on) {
  execute(on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

void Database::fail(std::string_view what) const {
  const int code = sqlite3_errcode(handle_);
  const bool corrupt = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  throw core::Error(corrupt ? core::ErrorKind::Corrupt : core::ErrorKind::Io,
                    fmt::format("database '{}': {}{} (while running: {})",
                                file_.string(),
                                sqlite3_errmsg(handle_),
                                corrupt ? "; move it away to start with an empty one" : "",
                                what));
}

Statement::Statement(const Database& database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v2(database.handle(), sql, -1, &statement_, nullptr) != SQLITE_OK) {
    database.fail(sql);
  }
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::bind(double value) {
  sqlite3_bind_double(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(
      statement_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(std::span<const std::byte> blob) {
  sqlite3_bind_blob64(statement_, ++bound_, blob.data(), blob.size(), SQLITE_TRANSIENT);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    database_.fail(sqlite3_sql(statement_));
  }
  return code == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  bound_ = 0;
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string Statement::text(int column) const {
  const auto bytes = blob(column);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const std::byte*>(data), data == nullptr ? 0 : static_cast<size_t>(size)};
}

Transaction::~Transaction() {
  if (open_) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace coppice::edge
