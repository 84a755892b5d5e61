#include "edge/spool.h"

#include <algorithm>

#include "edge/database.h"

namespace coppice::edge {

namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS sample(sequence INTEGER PRIMARY KEY, value REAL, envelope TEXT,"
    " bytes INTEGER, payload BLOB, predicted INTEGER, confidence REAL, feedback INTEGER,"
    " reason TEXT, inclusion REAL, captured_ms INTEGER, model_hash TEXT);"
    "CREATE INDEX IF NOT EXISTS by_value ON sample(envelope, value DESC, sequence);"
    "CREATE TABLE IF NOT EXISTS memory(key TEXT PRIMARY KEY, value INTEGER)";

constexpr const char* kColumns =
    "SELECT sequence, payload, predicted, confidence, feedback, reason, inclusion, captured_ms,"
    " model_hash FROM sample ";

link::Sample read_sample(const Statement& row) {
  link::Sample sample;
  sample.sequence = row.integer(0);
  const auto payload = row.blob(1);
  sample.payload.assign(payload.begin(), payload.end());
  sample.predicted = row.integer(2);
  sample.confidence = row.real(3);
  sample.feedback = row.integer(4);
  sample.reason = row.text(5);
  sample.inclusion_probability = row.real(6);
  sample.captured_ms = row.integer(7);
  sample.model_hash = row.text(8);
  return sample;
}

int64_t scalar(const Database& database, const char* sql) {
  Statement statement(database, sql);
  return statement.step() ? statement.integer(0) : 0;
}

}  // namespace

struct Spool::State {
  State(const std::filesystem::path& file, int64_t capacity)
      : database(file), capacity_bytes(capacity) {
    database.execute(kSchema);
  }

  void set(const std::string& key, int64_t value) {
    Statement(database,
              "INSERT INTO memory VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value")
        .bind(key)
        .bind(value)
        .step();
  }

  int64_t get(const std::string& key) const {
    Statement statement(database, "SELECT value FROM memory WHERE key=?");
    return statement.bind(key).step() ? statement.integer(0) : 0;
  }

  void insert(const Spool::Entry& entry) {
    const link::Sample& s = entry.sample;
    Statement(database, "INSERT INTO sample VALUES(?,?,'',?,?,?,?,?,?,?,?,?)")
        .bind(s.sequence)
        .bind(entry.value)
        .bind(static_cast<int64_t>(s.payload.size()))
        .bind(std::span<const std::byte>(s.payload))
        .bind(s.predicted)
        .bind(s.confidence)
        .bind(s.feedback)
        .bind(std::string_view(s.reason))
        .bind(s.inclusion_probability)
        .bind(s.captured_ms)
        .bind(std::string_view(s.model_hash))
        .step();
  }

  void evict_to_capacity() {
    int64_t used = scalar(database, "SELECT COALESCE(SUM(bytes),0) FROM sample");
    int64_t gone = 0;
    Statement least(
        database,
        "SELECT sequence, bytes FROM sample WHERE envelope='' ORDER BY value, sequence LIMIT 1");
    Statement remove(database, "DELETE FROM sample WHERE sequence=?");
    while (used > capacity_bytes && least.step()) {
      remove.bind(least.integer(0)).step();
      used -= least.integer(1);
      ++gone;
      remove.reset();
      least.reset();
    }
    if (gone > 0) {
      set("evicted", get("evicted") + gone);
    }
  }

  Database database;
  int64_t capacity_bytes;
};

Spool::Spool(const std::filesystem::path& file, int64_t capacity_bytes)
    : state_(std::make_unique<State>(file, capacity_bytes)) {}

Spool::~Spool() = default;

int64_t Spool::reserve_sequences(int64_t count) {
  const int64_t first = recall("next_sequence") + 1;
  remember("next_sequence", first + count - 1);
  return first;
}

void Spool::remember(const std::string& key, int64_t value) {
  state_->set(key, value);
}

int64_t Spool::recall(const std::string& key) const {
  return state_->get(key);
}

void Spool::add(const std::vector<Entry>& entries) {
  Transaction transaction(state_->database);
  for (const Entry& entry : entries) {
    state_->insert(entry);
  }
  state_->evict_to_capacity();
  transaction.commit();
}

std::vector<link::Sample> Spool::take(const std::string& envelope,
                                      int64_t max_count,
                                      int64_t max_bytes) {
  Transaction transaction(state_->database);
  std::vector<link::Sample> taken;
  {
    Statement best(
        state_->database,
        (std::string(kColumns) + "WHERE envelope='' ORDER BY value DESC, sequence LIMIT ?")
            .c_str());
    best.bind(max_count);
    while (best.step()) {
      const auto size = static_cast<int64_t>(best.blob(1).size());
      if (size > max_bytes) {
        break;
      }
      max_bytes -= size;
      taken.push_back(read_sample(best));
    }
  }
  Statement mark(state_->database, "UPDATE sample SET envelope=? WHERE sequence=?");
  for (const link::Sample& sample : taken) {
    mark.bind(std::string_view(envelope)).bind(sample.sequence).step();
    mark.reset();
  }
  transaction.commit();
  return taken;
}

std::vector<std::string> Spool::under_way() const {
  Statement statement(
      state_->database,
      "SELECT envelope FROM sample WHERE envelope<>'' GROUP BY envelope ORDER BY MIN(rowid)");
  std::vector<std::string> envelopes;
  while (statement.step()) {
    envelopes.push_back(statement.text(0));
  }
  return envelopes;
}

std::vector<link::Sample> Spool::contents(const std::string& envelope) const {
  Statement statement(
      state_->database,
      (std::string(kColumns) + "WHERE envelope=? ORDER BY value DESC, sequence").c_str());
  statement.bind(std::string_view(envelope));
  std::vector<link::Sample> samples;
  while (statement.step()) {
    samples.push_back(read_sample(statement));
  }
  return samples;
}

void Spool::acknowledge(const std::vector<std::string>& envelopes) {
  Transaction transaction(state_->database);
  Statement remove(state_->database, "DELETE FROM sample WHERE envelope=? AND envelope<>''");
  for (const std::string& envelope : envelopes) {
    remove.bind(std::string_view(envelope)).step();
    remove.reset();
  }
  transaction.commit();
}

int64_t Spool::count() const {
  return scalar(state_->database, "SELECT COUNT(*) FROM sample");
}

int64_t Spool::waiting() const {
  return scalar(state_->database, "SELECT COUNT(*) FROM sample WHERE envelope=''");
}

int64_t Spool::payload_bytes() const {
  return scalar(state_->database, "SELECT COALESCE(SUM(bytes),0) FROM sample");
}

int64_t Spool::evicted() const {
  return recall("evicted");
}

}  // namespace coppice::edge
