#pragma once

#include <string>
#include <vector>

#include "recipe/recipe.h"

namespace coppice::loop {

/// Whether the hints of `field`.distil name nodes that the networks to come will have: builds them,
/// without weights that mean anything, for IDX images. `teacher`: what teaches, or null. Pruning
/// between them changes channels, not names.
///
/// Throws what recipe::check_hints throws; messages begin with `field`.
void check_hints(const std::string& field,
                 const recipe::DistilOptions& options,
                 const graph::ModelOptions& student,
                 const graph::ModelOptions* teacher,
                 const std::vector<std::string>& class_names);

}  // namespace coppice::loop
