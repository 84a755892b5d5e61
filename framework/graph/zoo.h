#pragma once

#include <string>
#include <vector>

#include "core/fields.h"
#include "core/registry.h"
#include "graph/graph.h"

namespace coppice::graph {

/// A network by name and options.
struct ModelOptions {
  std::string name = "cnn";
  std::vector<int64_t> widths{
      16, 32, 64};     ///< channels of each stage (cnn, resnet) or units of each hidden layer (mlp)
  int64_t depth = 1;   ///< convolutions per stage (cnn) or blocks per stage (resnet)
  double dropout = 0;  ///< before the classifier

  void visit(core::Fields& f);
};

/// What the data says: raw input and classes.
struct ModelInput {
  DType dtype = DType::U8;
  Shape sample_shape{1, 28, 28};  ///< channels, height, width; or features
  std::vector<double> mean{0};    ///< per channel, in raw units; goes into the graph
  std::vector<double> std{1};
  std::vector<std::string> class_names;
};

using ModelBuilder = Model (*)(const ModelOptions&, const ModelInput&, uint64_t seed);

/// "mlp", "cnn", "resnet": output logits [batch, classes] of a node named "logits".
const core::Registry<ModelBuilder>& zoo();

/// Throws Error{NotFound} for an unknown name, Error{InvalidArgument} for options that do not fit
/// the input.
Model build_model(const ModelOptions& options, const ModelInput& input, uint64_t seed);

}  // namespace coppice::graph
