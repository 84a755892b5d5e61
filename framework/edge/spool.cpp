#include "edge/spool.h"

#include <algorithm>
#include <utility>

#include "edge/database.h"

namespace coppice::edge {

namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS sample(sequence INTEGER PRIMARY KEY, value REAL, envelope TEXT,"
    " bytes INTEGER, payload BLOB, predicted INTEGER, confidence REAL, feedback INTEGER,"
    " reason TEXT, inclusion REAL, captured_ms INTEGER, model_hash TEXT);"
    // Holds the bytes too, so that sums read no payloads.
    "CREATE INDEX IF NOT EXISTS by_value ON sample(envelope, value DESC, sequence, bytes);"
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

/// Numbers that are promised to the disk in blocks and then given out one by one: a restart or a
/// power cut skips the rest of a block, and no number costs a disk access of its own.
struct Numbers {
  const char* key = "";
  int64_t next = 1;
  int64_t promised = 0;  ///< the last number that the disk says may be in use
};

constexpr int64_t kBlock = 4096;

}  // namespace

struct Spool::State {
  State(const std::filesystem::path& file, int64_t capacity)
      : database(file), capacity_bytes(capacity) {
    database.execute(kSchema);
    for (Numbers* numbers : {&sequences, &messages}) {
      numbers->promised = get(numbers->key);
      numbers->next = numbers->promised + 1;
    }
  }

  int64_t reserve(Numbers& numbers, int64_t count) {
    const int64_t last = numbers.next + count - 1;
    if (last > numbers.promised) {
      database.sync_commits(true);
      set(numbers.key, last + kBlock);
      database.sync_commits(false);
      numbers.promised = last + kBlock;
    }
    return std::exchange(numbers.next, last + 1);
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

  void increase(const std::string& key, int64_t by) {
    if (by > 0) {
      set(key, get(key) + by);
    }
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

  /// Returns how many.
  int64_t evict_to_capacity() {
    int64_t used = scalar(database, "SELECT COALESCE(SUM(bytes),0) FROM sample");
    if (used <= capacity_bytes) {
      return 0;
    }
    std::vector<int64_t> victims;
    {
      Statement least(
          database,
          "SELECT sequence, bytes FROM sample WHERE envelope='' ORDER BY value, sequence");
      while (used > capacity_bytes && least.step()) {
        victims.push_back(least.integer(0));
        used -= least.integer(1);
      }
    }
    Statement remove(database, "DELETE FROM sample WHERE sequence=?");
    for (const int64_t sequence : victims) {
      remove.bind(sequence).step();
      remove.reset();
    }
    return static_cast<int64_t>(victims.size());
  }

  Database database;
  int64_t capacity_bytes;
  Numbers sequences{"sequences"};
  Numbers messages{"messages"};
};

Spool::Spool(const std::filesystem::path& file, int64_t capacity_bytes)
    : state_(std::make_unique<State>(file, capacity_bytes)) {}

Spool::~Spool() = default;

int64_t Spool::reserve_sequences(int64_t count) {
  return state_->reserve(state_->sequences, count);
}

int64_t Spool::next_message() {
  return state_->reserve(state_->messages, 1);
}

void Spool::remember(const std::string& key, int64_t value) {
  state_->set(key, value);
}

int64_t Spool::recall(const std::string& key) const {
  return state_->get(key);
}

void Spool::add(const std::vector<Entry>& entries) {
  const auto largest =
      std::min(state_->capacity_bytes, static_cast<int64_t>(link::kMaxPayloadBytes));
  int64_t gone = 0;
  Transaction transaction(state_->database);
  for (const Entry& entry : entries) {
    if (static_cast<int64_t>(entry.sample.payload.size()) > largest) {
      ++gone;
    } else {
      state_->insert(entry);
    }
  }
  gone += state_->evict_to_capacity();
  state_->increase("added", static_cast<int64_t>(entries.size()));
  state_->increase("evicted", gone);
  transaction.commit();
}

std::vector<link::Sample> Spool::best(int64_t max_count, int64_t max_payload_bytes) const {
  Statement statement(
      state_->database,
      (std::string(kColumns) + "WHERE envelope='' ORDER BY value DESC, sequence LIMIT ?").c_str());
  statement.bind(max_count);
  std::vector<link::Sample> samples;
  int64_t bytes = 0;
  while (statement.step()) {
    bytes += static_cast<int64_t>(statement.blob(1).size());
    if (bytes > max_payload_bytes && !samples.empty()) {
      break;
    }
    samples.push_back(read_sample(statement));
  }
  return samples;
}

void Spool::start(const std::string& envelope, const std::vector<link::Sample>& samples) {
  Transaction transaction(state_->database);
  Statement mark(state_->database, "UPDATE sample SET envelope=? WHERE sequence=?");
  for (const link::Sample& sample : samples) {
    mark.bind(std::string_view(envelope)).bind(sample.sequence).step();
    mark.reset();
  }
  transaction.commit();
}

void Spool::put_back(const std::string& envelope) {
  Statement(state_->database, "UPDATE sample SET envelope='' WHERE envelope=?")
      .bind(std::string_view(envelope))
      .step();
}

void Spool::evict(int64_t sequence) {
  Transaction transaction(state_->database);
  Statement remove(state_->database,
                   "DELETE FROM sample WHERE sequence=? AND envelope='' RETURNING sequence");
  const bool removed = remove.bind(sequence).step();
  remove.reset();
  state_->increase("evicted", removed ? 1 : 0);
  transaction.commit();
}

std::vector<std::string> Spool::under_way() const {
  Statement statement(
      state_->database,
      "SELECT envelope FROM sample WHERE envelope<>'' GROUP BY envelope ORDER BY MIN(sequence)");
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

int64_t Spool::added() const {
  return recall("added");
}

int64_t Spool::evicted() const {
  return recall("evicted");
}

}  // namespace coppice::edge
