#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "data/dataset.h"
#include "link/message.h"

namespace coppice::cloud {

struct SampleKey {
  std::string device;
  int64_t sequence = 0;
};

/// Field samples and their labels (SQLite). (device, sequence) is the key: however often a message
/// comes, a sample is stored and counted once. What `store` returned from is durable. Not
/// thread-safe.
class SampleStore {
 public:
  /// `held_out_share` of the samples, chosen by a hash of the key, is never trained on but judges
  /// releases.
  SampleStore(const std::filesystem::path& database, double held_out_share);
  ~SampleStore();

  struct Stored {
    int64_t added = 0;
    int64_t repeated = 0;
  };

  Stored store(const std::string& device,
               std::span<const link::Sample> samples,
               core::Timestamp received);

  struct Unlabelled {
    SampleKey key;
    link::Sample sample;
  };

  std::vector<Unlabelled> unlabelled(int64_t limit) const;
  void set_label(const SampleKey& key, int64_t label);

  int64_t count() const;
  int64_t labelled(bool held_out) const;

  /// Labelled samples in order of arrival, those captured at or after `since`. Empty result
  /// allowed. `origins` (if wanted) gets "device/sequence" per sample.
  data::DatasetPtr dataset(const data::Schema& schema,
                           bool held_out,
                           core::Timestamp since = {},
                           std::vector<std::string>* origins = nullptr) const;

  /// Field accuracy from labelled audit samples, each weighted by 1 / inclusion probability
  /// (Horvitz and Thompson, 1952).
  struct Estimate {
    int64_t audits = 0;
    double accuracy = 0;  ///< NaN without audits
    double standard_error = 0;
  };

  Estimate estimate_accuracy(core::Timestamp since) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::cloud
