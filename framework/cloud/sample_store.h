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
/// comes, a sample is stored and counted once. What a method has returned from is durable. Throws
/// Error{NotFound, Io}, Error{Corrupt} for a damaged database. Not thread-safe.
class SampleStore {
 public:
  /// `held_out_share` of the samples, chosen by a hash of the key when a sample arrives, is never
  /// trained on but judges releases.
  /// Without `wait_for_disk` a power cut may undo the last changes, in order; a kill does not.
  SampleStore(const std::filesystem::path& database,
              double held_out_share,
              bool wait_for_disk = true);
  ~SampleStore();

  struct Stored {
    int64_t added = 0;
    int64_t repeated = 0;
  };

  struct Batch {
    std::string device;
    std::vector<link::Sample> samples;
  };

  /// All of them or, after an error, none.
  Stored store(std::span<const Batch> batches, core::Timestamp received);

  struct Unlabelled {
    SampleKey key;
    link::Sample sample;
  };

  /// In order of arrival; those that were asked about in vain come after the others.
  std::vector<Unlabelled> unlabelled(int64_t limit) const;

  struct Label {
    SampleKey key;
    int64_t label = -1;  ///< the class; -1: asked in vain
  };

  /// All of them or, after an error, none. Throws Error{NotFound} for a sample that is not here.
  void set_labels(std::span<const Label> labels);

  int64_t count() const;
  int64_t labelled(bool held_out) const;

  /// Labelled samples in order of arrival, those captured at or after `since`. Empty result
  /// allowed. Samples of another size than the schema's, from a model with another input, are left
  /// out. `origins` (if wanted) gets "device/sequence" per sample.
  data::DatasetPtr dataset(const data::Schema& schema,
                           bool held_out,
                           core::Timestamp since = {},
                           std::vector<std::string>* origins = nullptr) const;

  /// Field accuracy from labelled audit samples, each weighted by 1 / inclusion probability: the
  /// ratio form (Hajek, 1971) of the estimator of Horvitz and Thompson (1952). The other samples
  /// were chosen for being hard and would say too little.
  struct Estimate {
    int64_t audits = 0;
    double accuracy = 0;        ///< NaN without audits
    double standard_error = 0;  ///< from the effective number of audits (Kish, 1965)
  };

  Estimate estimate_accuracy(core::Timestamp since) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::cloud
