#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::compress {

/// What samples tell of one group's channels: a value per channel, or nothing where it was not
/// gathered. Gathered by `train::measure_importance` where GroupTaps says.
///
/// With a gate of value 1 on a channel, in front of everything that reads it, the gradient of one
/// sample's loss by the gate is the sum over the channel's places of activation x gradient.
struct ChannelStatistics {
  std::vector<double> mean_activation = {};  ///< mean of |activation| over samples and places
  std::vector<double> nonzero_share = {};    ///< of activations: 1 - APoZ
  std::vector<double> gate_gradient = {};    ///< mean over samples of |loss by gate|
  std::vector<double> gate_fisher = {};      ///< mean over samples of (loss by gate)^2
};

/// By the group's name.
using Statistics = std::map<std::string, ChannelStatistics>;

/// How they are gathered.
struct ImportanceOptions {
  int64_t samples = 1024;  ///< spread evenly over the data set; all of them when it has fewer
  int64_t batch_size = 64;

  void visit(core::Fields& f);
};

}  // namespace coppice::compress
