#include "cloud/sample_store.h"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "cloud/sql.h"
#include "core/error.h"
#include "core/rng.h"

namespace coppice::cloud {

namespace {

constexpr std::array kSampleSchema{
    "CREATE TABLE IF NOT EXISTS sample(device TEXT, sequence INTEGER, payload BLOB,"
    " predicted INTEGER, confidence REAL, feedback INTEGER, reason TEXT, inclusion REAL,"
    " captured_ms INTEGER, model_hash TEXT, received_ms INTEGER, held_out INTEGER, label INTEGER,"
    " asked INTEGER, PRIMARY KEY(device, sequence))",
    "CREATE INDEX IF NOT EXISTS sample_label ON sample(label, asked)",
    "CREATE INDEX IF NOT EXISTS sample_held_out ON sample(held_out, label)"};

}  // namespace

struct SampleStore::State {
  State(const std::filesystem::path& database, double share, bool wait_for_disk)
      : file(database), held_out_share(share) {
    open_sqlite(sql, file, kSampleSchema, wait_for_disk);
  }

  /// Decided by the key alone, so that a sample never changes sides.
  bool held_out(const std::string& device, int64_t sequence) const {
    core::Rng rng = core::Rng(0).split(device).split(static_cast<uint64_t>(sequence));
    return rng.bernoulli(held_out_share);
  }

  int64_t count(const std::string& where) {
    return guarded(file, [&] {
      int64_t result = 0;
      sql << "SELECT COUNT(*) FROM sample WHERE " + where, soci::into(result);
      return result;
    });
  }

  bool insert(const std::string& device, const link::Sample& s, int64_t received_ms) {
    soci::blob payload(sql);
    fill(payload, s.payload);
    const int held = held_out(device, s.sequence) ? 1 : 0;
    soci::statement insert_one =
        (sql.prepare
             << "INSERT OR IGNORE INTO sample VALUES(:d,:s,:p,:q,:c,:f,:r,:i,:t,:m,:v,:h,-1,0)",
         soci::use(device),
         soci::use(s.sequence),
         soci::use(payload),
         soci::use(s.predicted),
         soci::use(s.confidence),
         soci::use(s.feedback),
         soci::use(s.reason),
         soci::use(s.inclusion_probability),
         soci::use(s.captured_ms),
         soci::use(s.model_hash),
         soci::use(received_ms),
         soci::use(held));
    insert_one.execute(true);
    return insert_one.get_affected_rows() == 1;
  }

  std::filesystem::path file;
  double held_out_share;
  soci::session sql;
};

SampleStore::SampleStore(const std::filesystem::path& database,
                         double held_out_share,
                         bool wait_for_disk)
    : state_(std::make_unique<State>(database, held_out_share, wait_for_disk)) {}

SampleStore::~SampleStore() = default;

SampleStore::Stored SampleStore::store(std::span<const Batch> batches, core::Timestamp received) {
  return guarded(state_->file, [&] {
    Stored stored;
    soci::transaction transaction(state_->sql);
    for (const Batch& batch : batches) {
      for (const link::Sample& sample : batch.samples) {
        ++(state_->insert(batch.device, sample, core::to_millis(received)) ? stored.added
                                                                           : stored.repeated);
      }
    }
    transaction.commit();
    return stored;
  });
}

std::vector<SampleStore::Unlabelled> SampleStore::unlabelled(int64_t limit) const {
  return guarded(state_->file, [&] {
    std::vector<Unlabelled> result;
    Unlabelled u;
    soci::blob payload(state_->sql);
    soci::statement query =
        (state_->sql.prepare
             << "SELECT device, sequence, payload, predicted, confidence, feedback, reason, "
                "inclusion,"
                " captured_ms, model_hash FROM sample WHERE label=-1 ORDER BY asked, rowid LIMIT "
                ":n",
         soci::use(limit),
         soci::into(u.key.device),
         soci::into(u.key.sequence),
         soci::into(payload),
         soci::into(u.sample.predicted),
         soci::into(u.sample.confidence),
         soci::into(u.sample.feedback),
         soci::into(u.sample.reason),
         soci::into(u.sample.inclusion_probability),
         soci::into(u.sample.captured_ms),
         soci::into(u.sample.model_hash));
    query.execute();
    while (query.fetch()) {
      u.sample.sequence = u.key.sequence;
      u.sample.payload = to_bytes(payload);
      result.push_back(u);
    }
    return result;
  });
}

void SampleStore::set_labels(std::span<const Label> labels) {
  guarded(
      state_->file, [&] {
        soci::transaction transaction(state_->sql);
        for (const auto& [key, label] : labels) {
          soci::statement update =
              (state_->sql.prepare
                   << "UPDATE sample SET label=:l, asked=asked+1 WHERE device=:d AND sequence=:s",
               soci::use(label),
               soci::use(key.device),
               soci::use(key.sequence));
          update.execute(true);
          if (update.get_affected_rows() != 1) {
            throw core::Error(
                core::ErrorKind::NotFound,
                fmt::format("there is no sample {} of device '{}'", key.sequence, key.device));
          }
        }
        transaction.commit();
      });
}

int64_t SampleStore::count() const {
  return state_->count("1");
}

int64_t SampleStore::labelled(bool held_out) const {
  return state_->count(fmt::format("label>=0 AND held_out={}", held_out ? 1 : 0));
}

data::DatasetPtr SampleStore::dataset(const data::Schema& schema,
                                      bool held_out,
                                      core::Timestamp since,
                                      std::vector<std::string>* origins) const {
  return guarded(state_->file, [&] {
    std::vector<std::byte> bytes;
    std::vector<int64_t> labels;
    const int held = held_out ? 1 : 0;
    const int64_t since_ms = core::to_millis(since);
    soci::blob payload(state_->sql);
    int64_t label = 0;
    std::string origin;
    soci::statement query =
        (state_->sql.prepare << "SELECT payload, label, device || '/' || sequence FROM sample "
                                "WHERE label>=0 AND held_out=:h"
                                " AND captured_ms>=:t ORDER BY rowid",
         soci::use(held),
         soci::use(since_ms),
         soci::into(payload),
         soci::into(label),
         soci::into(origin));
    query.execute();
    while (query.fetch()) {
      const core::Bytes sample = to_bytes(payload);
      if (static_cast<int64_t>(sample.size()) != schema.sample_bytes()) {
        continue;
      }
      bytes.insert(bytes.end(), sample.begin(), sample.end());
      labels.push_back(label);
      if (origins != nullptr) {
        origins->push_back(origin);
      }
    }
    return data::make_memory_dataset(schema, std::move(bytes), std::move(labels));
  });
}

SampleStore::Estimate SampleStore::estimate_accuracy(core::Timestamp since) const {
  return guarded(state_->file, [&] {
    Estimate estimate;
    double weight_sum = 0;
    double right_sum = 0;
    double square_sum = 0;
    const int64_t since_ms = core::to_millis(since);
    double inclusion = 0;
    int64_t label = 0;
    int64_t predicted = 0;
    soci::statement query =
        (state_->sql.prepare << "SELECT inclusion, label, predicted FROM sample"
                                " WHERE reason='audit' AND label>=0 AND captured_ms>=:t",
         soci::use(since_ms),
         soci::into(inclusion),
         soci::into(label),
         soci::into(predicted));
    query.execute();
    while (query.fetch()) {
      const double weight = 1 / inclusion;
      ++estimate.audits;
      weight_sum += weight;
      right_sum += label == predicted ? weight : 0;
      square_sum += weight * weight;
    }
    estimate.accuracy =
        weight_sum > 0 ? right_sum / weight_sum : std::numeric_limits<double>::quiet_NaN();
    if (weight_sum > 0) {
      const double effective = weight_sum * weight_sum / square_sum;
      estimate.standard_error = std::sqrt(estimate.accuracy * (1 - estimate.accuracy) / effective);
    }
    return estimate;
  });
}

}  // namespace coppice::cloud
