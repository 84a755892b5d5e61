#pragma once

#include "compress/low_rank/factors.h"
#include "graph/graph.h"

namespace coppice::compress {

/// Put a chain of parts in the place of a layer. The last one keeps its name, bias and consumers.
void replace_by_svd(graph::Model& model, const std::string& node, const SvdFactors& factors);
void replace_by_tucker(graph::Model& model, const std::string& node, const TuckerFactors& factors);
void replace_by_cp(graph::Model& model, const std::string& node, const CpFactors& factors);

}  // namespace coppice::compress
