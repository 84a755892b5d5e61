#pragma once

#include <string>

#include "data/dataset.h"
#include "graph/zoo.h"
#include "recipe/recipe.h"

namespace coppice::loop {

/// What a network for such samples takes, but for their statistics.
graph::ModelInput input_for(const data::Schema& schema);

/// Whether the hints of `field`.distil name nodes that the networks to come will have: builds them,
/// without weights that mean anything. `teacher`: what teaches, or null. Pruning
/// between them changes channels, not names.
///
/// Throws what recipe::check_hints throws; messages begin with `field`.
void check_hints(const std::string& field,
                 const recipe::DistilOptions& options,
                 const graph::ModelOptions& student,
                 const graph::ModelOptions* teacher,
                 const data::Schema& schema);

}  // namespace coppice::loop
