#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "train/parameter.h"

namespace coppice::train {

struct TrainedWeight {
  std::string name;
  ParameterKind kind = ParameterKind::Weight;
};

/// The weights of a model that training moves: what layers, normalisation, PReLU and recurrent
/// units read, as long as it is stored in f32, and what is added to a MatMul. In the graph's order,
/// each once.
std::vector<TrainedWeight> trained_weights(const graph::Model& model);

}  // namespace coppice::train
