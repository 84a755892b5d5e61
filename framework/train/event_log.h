#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "report/tensorboard.h"
#include "train/strategy.h"

namespace coppice::train {

/// A training run's TensorBoard event file, over finished steps: "train/loss" as the mean of every
/// `kStride` steps, and what `write_epoch` is given after each epoch.
///
/// The file is opened at the first step: whatever an earlier start of the run wrote beyond what it
/// goes on from is purged then. A run that has nothing left to do leaves its file as it was.
class EventLog final : public Strategy {
 public:
  static constexpr int64_t kStride = 10;

  explicit EventLog(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::string_view name() const override { return "tensorboard"; }

  /// Throws Error{Io}.
  void after_step(const TrainingStep& step) override;

  /// `values` as a row of metrics.jsonl: "validation_loss" becomes "validation/loss",
  /// "learning_rate" stays, the rest is "epoch/…". With them "samples_per_second" of the steps
  /// since the last call.
  void write_epoch(int64_t epoch, const std::map<std::string, double>& values);

 private:
  std::filesystem::path folder_;
  std::optional<report::TensorBoardLog> log_;
  int64_t finished_steps_ = 0;
  double loss_ = 0;  ///< sum over the steps that are not yet written
  int64_t steps_ = 0;
  std::optional<core::Stopwatch> since_first_step_;  ///< of the epoch
  int64_t samples_ = 0;                              ///< since then
  double seconds_ = 0;                               ///< until the last step
};

}  // namespace coppice::train
