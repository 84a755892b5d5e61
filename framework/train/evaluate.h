#pragma once

#include "data/dataset.h"

namespace coppice::train {

class Network;

struct Evaluation {
  double loss = 0;      ///< mean cross entropy
  double accuracy = 0;  ///< share of samples whose largest logit is the label's
};

/// With running BN statistics and no dropout. Samples without a label are left out.
/// Throws Error{InvalidArgument} when no sample has one.
Evaluation evaluate(Network& network, const data::Dataset& dataset, int64_t batch_size = 500);

}  // namespace coppice::train
