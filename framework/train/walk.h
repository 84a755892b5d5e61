#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/graph.h"
#include "train/network.h"
#include "train/plan.h"

namespace coppice::train {

/// A network as one forward sees it.
struct WalkedNetwork {
  const graph::Graph& graph;
  const std::vector<Step>& steps;
  const std::map<std::string, at::Tensor>& weights;
  at::ScalarType real = at::kFloat;      ///< what stands for f32
  at::ScalarType products = at::kFloat;  ///< what convolutions and matrix products compute in
  at::Device device = at::Device(at::kCPU);
};

/// Computes the nodes in order, several at once where that is faster, and forgets values as soon as
/// nobody needs them. Inputs, result and errors are those of Network::forward.
Activations walk(const WalkedNetwork& network,
                 const std::map<std::string, at::Tensor>& inputs,
                 const ForwardOptions& options);

}  // namespace coppice::train
