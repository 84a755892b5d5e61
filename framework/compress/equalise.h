#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

struct QuantiseOptions;

/// Two layers whose channels can be scaled against each other: nobody else sees what the first one
/// makes, and what lies between them gives s f(x) for s x, channel by channel.
struct LayerPair {
  std::string first;
  std::vector<std::string> between;
  std::string second;
};

/// In graph order. Between the layers: ReLU, leaky ReLU, PReLU, pooling, flattening, zero padding,
/// resizing, slices of rows and columns. Not ReLU6, whose bound would have to differ by channel.
/// REQUIRES: BN folded.
std::vector<LayerPair> find_pairs(const graph::Model& model);

/// Mean and standard deviation of each channel before its activation, as the folded BN knows them.
struct NormStatistics {
  std::vector<double> mean;
  std::vector<double> deviation;
};

/// Of every layer of `folded` whose BN was folded, by its name there.
std::map<std::string, NormStatistics> norm_statistics(const graph::Model& model,
                                                      const graph::Model& folded);

/// Cross-layer equalisation (Nagel et al., Data-Free Quantization Through Weight Equalization and
/// Bias Correction, ICCV 2019, section 4.1): channel i of each pair is divided by s_i in the first
/// layer and multiplied in the second, s_i = sqrt(r1_i / r2_i) with r the largest absolute weight,
/// over and over until no s differs from 1 by more than 0.1 %. The function stays; a channel whose
/// weights are all 0 on either side is left alone. `statistics` follow.
graph::Model equalise(graph::Model model,
                      const std::vector<LayerPair>& pairs,
                      std::map<std::string, NormStatistics>& statistics);

/// High-bias absorption (ibid., section 4.1.3): c = max(0, mean - 3 deviations) moves from a
/// channel's bias through a ReLU into the next layer's. Exact for inputs that stay above c, 99.865
/// % of a normal distribution. Only where a ReLU and pooling or flattening are between, and the
/// second layer has a bias and does not pad, as it would pad with 0 what ought to be -c.
graph::Model absorb_biases(graph::Model model,
                           const std::vector<LayerPair>& pairs,
                           const std::map<std::string, NormStatistics>& statistics);

/// Folds `model`, makes each ReLU6 between two layers a ReLU if options.replace_relu6, equalises
/// and, if options.absorb_biases, absorbs. Throws Error{InvalidArgument} where there is no pair.
graph::Model fold_and_equalise(const graph::Model& model,
                               const QuantiseOptions& options,
                               int64_t* pairs);

}  // namespace coppice::compress
