#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

/// Looks at the tapped outputs of one batch, in the order in which they were asked for.
using TapVisitor = std::function<void(std::span<const graph::Tensor> outputs)>;

/// Runs `samples` [n, …] in batches through the part of the model that `nodes` need and shows their
/// outputs. Samples go in order and batches have a fixed size, so that sums over them repeat
/// exactly.
void run_taps(const graph::Model& model,
              const std::vector<std::string>& nodes,
              const graph::Tensor& samples,
              const TapVisitor& visit);

}  // namespace coppice::compress
