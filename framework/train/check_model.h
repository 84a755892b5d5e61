#pragma once

#include <string_view>

#include "data/dataset.h"
#include "graph/graph.h"

namespace coppice::train {

/// Throws Error{InvalidArgument} unless `model` has one input of the schema's type and sample shape
/// and, as first output, what its metadata's task asks for: one logit per class, one number per
/// regression target, or as many numbers as a sample has. Class names that both give must be the
/// same. `role` names the model in the message.
void check_model_fits(const graph::Model& model, const data::Schema& schema, std::string_view role);

}  // namespace coppice::train
