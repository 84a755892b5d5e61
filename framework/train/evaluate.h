#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/dataset.h"
#include "train/judgement.h"

namespace coppice::train {

class Network;

/// What an epoch is judged by.
struct Evaluation {
  double loss = 0;                        ///< mean over samples, without penalties
  double accuracy = 0;                    ///< of classification; 0 for other tasks
  double metric = 0;                      ///< the figure `main_metric(task)`
  std::map<std::string, double> figures;  ///< quick_figures: "loss", "accuracy", "rmse", …
};

/// With running BN statistics and no dropout, at most `batch_size` samples at a time.
///
/// Regression compares the first output with the data's targets, both in the targets' units.
/// Reconstruction compares the first output with reconstruction_target() (objective.h). Samples
/// without a label are left out of classification.
/// Throws Error{InvalidArgument} when no sample has a truth to be compared with.
Predictions predict(Network& network,
                    const data::Dataset& dataset,
                    int64_t batch_size = 500,
                    const JudgeOptions& options = {});

/// The quick figures of `predict`.
Evaluation evaluate(Network& network,
                    const data::Dataset& dataset,
                    int64_t batch_size = 500,
                    const JudgeOptions& options = {});

}  // namespace coppice::train
