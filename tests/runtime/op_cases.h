#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::runtime::testing {

/// A small graph in f32 around one op with attributes that are easily mistaken, and samples for it.
struct OpCase {
  std::string name;
  std::vector<graph::Tensor> inputs;
  graph::Model model;
};

/// What every way to compute a model is compared with the "reference" backend on.
std::vector<OpCase> op_cases();

}  // namespace coppice::runtime::testing
