#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace coppice::jobs {

/// What a column holds; monostate is NULL.
using DatabaseValue = std::variant<std::monostate, int64_t, double, std::string>;

/// One row of a query's result. The accessors convert what an expression gives as text; they throw
/// Error{Corrupt} for a NULL or a text that is no number.
class DatabaseRow {
 public:
  explicit DatabaseRow(std::vector<DatabaseValue> values) : values_(std::move(values)) {}

  bool is_null(size_t column) const;
  int64_t integer(size_t column) const;
  double real(size_t column) const;
  std::string text(size_t column) const;

 private:
  const DatabaseValue& at(size_t column) const;

  std::vector<DatabaseValue> values_;
};

/// A SQLite file that several processes may share: write-ahead log, waits for other writers,
/// durable commits. Columns are declared `bigint`, `double` or `text`. One object belongs to one
/// thread.
class Database {
 public:
  /// Makes the file and its folder when absent. Throws Error{Io, Corrupt} naming the file.
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// One statement; `:names` in it take `values` in the order in which they stand.
  /// Returns the number of rows that changed.
  int64_t execute(const std::string& sql, const std::vector<DatabaseValue>& values = {});
  std::vector<DatabaseRow> query(const std::string& sql,
                                 const std::vector<DatabaseValue>& values = {});

  /// Runs `body` with the only right to write, from its first read on; an exception undoes it all.
  /// REQUIRES: not called from inside another.
  void transaction(const std::function<void()>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::jobs
