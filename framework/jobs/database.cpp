#include "jobs/database.h"

#include <charconv>
#include <chrono>
#include <deque>
#include <thread>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "core/error.h"
#include "jobs/database_error.h"

namespace coppice::jobs {

namespace {

constexpr int kBusy = 5;  // SQLITE_BUSY
constexpr int kBusyTimeoutSeconds = 30;

struct Binding {
  std::string text;
  double real = 0;
  long long integer = 0;
  soci::indicator indicator = soci::i_ok;
};

/// The bound copies live as long as the statement that reads them.
void bind(soci::statement& statement,
          const std::vector<DatabaseValue>& values,
          std::deque<Binding>& bound) {
  for (const DatabaseValue& value : values) {
    Binding& binding = bound.emplace_back();
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      binding.integer = *integer;
      statement.exchange(soci::use(binding.integer, binding.indicator));
    } else if (const auto* real = std::get_if<double>(&value)) {
      binding.real = *real;
      statement.exchange(soci::use(binding.real, binding.indicator));
    } else {
      const auto* text = std::get_if<std::string>(&value);
      binding.text = text != nullptr ? *text : std::string();
      binding.indicator = text != nullptr ? soci::i_ok : soci::i_null;
      statement.exchange(soci::use(binding.text, binding.indicator));
    }
  }
}

DatabaseValue value_of(const soci::row& row, size_t column) {
  if (row.get_indicator(column) == soci::i_null) {
    return std::monostate{};
  }
  switch (row.get_properties(column).get_data_type()) {
    case soci::dt_integer:
      return static_cast<int64_t>(row.get<int>(column));
    case soci::dt_long_long:
      return static_cast<int64_t>(row.get<long long>(column));
    case soci::dt_double:
      return row.get<double>(column);
    default:
      return row.get<std::string>(column);
  }
}

template <class Number>
Number parse(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw core::Error(core::ErrorKind::Corrupt,
                      fmt::format("the database holds '{}' where a number must be", text));
  }
  return number;
}

}  // namespace

const DatabaseValue& DatabaseRow::at(size_t column) const {
  COPPICE_CHECK(column < values_.size(), "a column that was not selected");
  return values_[column];
}

bool DatabaseRow::is_null(size_t column) const {
  return std::holds_alternative<std::monostate>(at(column));
}

int64_t DatabaseRow::integer(size_t column) const {
  if (const auto* value = std::get_if<int64_t>(&at(column))) {
    return *value;
  }
  return parse<int64_t>(text(column));
}

double DatabaseRow::real(size_t column) const {
  if (const auto* value = std::get_if<double>(&at(column))) {
    return *value;
  }
  return parse<double>(text(column));
}

std::string DatabaseRow::text(size_t column) const {
  if (const auto* value = std::get_if<std::string>(&at(column))) {
    return *value;
  }
  if (const auto* value = std::get_if<int64_t>(&at(column))) {
    return fmt::format("{}", *value);
  }
  if (const auto* value = std::get_if<double>(&at(column))) {
    return fmt::format("{}", *value);
  }
  throw core::Error(core::ErrorKind::Corrupt, "the database holds nothing where a value must be");
}

struct Database::State {
  std::filesystem::path file;
  soci::session session;

  [[noreturn]] void rethrow(const soci::soci_error& error) const {
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    throw database_error(file, sqlite != nullptr ? sqlite->result() : 0, error.what());
  }

  template <class Body>
  auto guarded(const Body& body) {
    try {
      return body();
    } catch (const soci::soci_error& error) {
      rethrow(error);
    }
  }

  void open() {
    session.open(soci::sqlite3,
                 fmt::format("db=\"{}\" timeout={}", file.string(), kBusyTimeoutSeconds));
    use_write_ahead_log();
    session << "PRAGMA synchronous=FULL";
    session << "PRAGMA foreign_keys=ON";
  }

  /// SQLite does not wait for others while it switches the journal, whatever the timeout is.
  void use_write_ahead_log() {
    for (int attempt = 0;; ++attempt) {
      try {
        session << "PRAGMA journal_mode=WAL";
        return;
      } catch (const soci::sqlite3_soci_error& error) {
        if ((error.result() & 0xff) != kBusy || attempt == 20 * kBusyTimeoutSeconds) {
          throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
  }
};

Database::Database(const std::filesystem::path& file) : state_(std::make_unique<State>()) {
  state_->file = file;
  if (file.string().find('"') != std::string::npos) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("database '{}': a quote in a file name is not supported; rename it",
                    file.string()));
  }
  std::error_code error;
  if (file.has_parent_path() && !std::filesystem::is_directory(file.parent_path(), error) &&
      !std::filesystem::create_directories(file.parent_path(), error)) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format("can't make '{}': {}", file.parent_path().string(), error.message()));
  }
  state_->guarded([&] { state_->open(); });
}

Database::~Database() = default;

int64_t Database::execute(const std::string& sql, const std::vector<DatabaseValue>& values) {
  return state_->guarded([&] {
    std::deque<Binding> bound;
    soci::statement statement(state_->session);
    statement.alloc();
    statement.prepare(sql, soci::details::st_one_time_query);
    bind(statement, values, bound);
    statement.define_and_bind();
    statement.execute(true);
    return static_cast<int64_t>(statement.get_affected_rows());
  });
}

std::vector<DatabaseRow> Database::query(const std::string& sql,
                                         const std::vector<DatabaseValue>& values) {
  return state_->guarded([&] {
    std::deque<Binding> bound;
    soci::row row;
    soci::statement statement(state_->session);
    statement.alloc();
    statement.prepare(sql);
    statement.exchange(soci::into(row));
    bind(statement, values, bound);
    statement.define_and_bind();
    std::vector<DatabaseRow> result;
    statement.execute();
    while (statement.fetch()) {
      std::vector<DatabaseValue> columns;
      for (size_t i = 0; i < row.size(); ++i) {
        columns.push_back(value_of(row, i));
      }
      result.emplace_back(std::move(columns));
    }
    return result;
  });
}

void Database::transaction(const std::function<void()>& body) {
  // A deferred transaction that turns from reading to writing fails at once when another wrote.
  state_->guarded([&] { state_->session << "BEGIN IMMEDIATE"; });
  try {
    body();
    state_->guarded([&] { state_->session << "COMMIT"; });
  } catch (...) {
    try {
      state_->session << "ROLLBACK";
    } catch (
        const soci::soci_error&) {  // SQLite undid it by itself: the first error is the one to tell
    }
    throw;
  }
}

}  // namespace coppice::jobs
