#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "compress/prune_options.h"
#include "graph/graph.h"

namespace coppice::compress {

/// What a network costs, in the unit of a target's metric.
using Meter = std::function<double(const graph::Model&)>;

/// The meter of a target. MACs, parameters and bytes follow from the graph; peak_memory and latency
/// come from the device engine that runs the artefact (quantised on random samples where it is to
/// be int8, which changes neither memory nor time), latency also from a table (latency_table.h).
///
/// Latencies are medians of runs in turns with `reference`, scaled by how fast that ran meanwhile,
/// so that a machine that slows down does not look like a network that got slower.
///
/// Throws Error{InvalidArgument} for an unknown metric or artefact, and what engine or table throw.
Meter make_meter(const TargetOptions& target, const graph::Model& reference);

/// The smallest count in [0, most] whose cost is at most `limit`, nothing where even `most` costs
/// more. Bisects: for a cost that rises somewhere it may not be the smallest, but it is within the
/// limit. Calls `cost` about log2(most) times.
std::optional<int64_t> least_count(int64_t most,
                                   const std::function<double(int64_t)>& cost,
                                   double limit);

}  // namespace coppice::compress
