#pragma once

#include <optional>

#include "runtime/model_index.h"
#include "runtime/onednn/stage.h"

/// Patterns that end at a node. Each returns nullopt when the node is not the end of one; the first
/// that matches is used.
namespace coppice::runtime::onednn {

std::optional<Stage> match_quantised_product(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_lookup(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_byte_add(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_byte_average(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_quantise(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_product(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_matrix_product(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_curve(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_single_op(ModelIndex& index,
                                     const graph::Node& last);  ///< takes every node

/// A stage that computes `last` from these activations.
Stage stage_of(const graph::Node& last, std::vector<std::string> inputs, Work work);

}  // namespace coppice::runtime::onednn
