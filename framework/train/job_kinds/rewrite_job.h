#pragma once

#include <map>
#include <optional>
#include <string>

#include "compress/statistics.h"
#include "graph/graph.h"

namespace coppice::train {

struct JobContext;

/// What the kinds of job that rewrite a model have in common.

/// Notes that `after` comes of `before`, by this job.
void add_lineage(const JobContext& context, const graph::Model& before, graph::Model& after);

/// What a criterion that ranks channels reads of the input "train"; nothing where it reads no data,
/// or where that input is not given: compress says then what is missing.
std::optional<compress::Statistics> statistics_for(const JobContext& context,
                                                   const graph::Model& model,
                                                   const std::string& criterion,
                                                   const compress::ImportanceOptions& options);

/// model.onnx, and what both models take on the way to a device: figures transfer_bytes_before and
/// transfer_bytes.
std::map<std::string, double> save_for_transfer(const JobContext& context,
                                                const graph::Model& before,
                                                const graph::Model& after);

}  // namespace coppice::train
