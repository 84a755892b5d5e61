#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"

namespace coppice::data {

/// Disjoint parts of the given sizes, each with the class shares of the whole (largest remainder),
/// in random order.
///
/// Where earlier parts have taken so much of a class that a part can't have its share, the classes
/// next in the order of remainders stand in. Samples of unknown label count as a class of their
/// own. Throws Error{InvalidArgument} when the sizes exceed the data set or a part would be empty.
std::vector<std::vector<int64_t>> stratified_split(const Dataset& dataset,
                                                   const std::vector<int64_t>& sizes,
                                                   core::Rng rng);

/// Indices whose label is in `classes`.
std::vector<int64_t> with_classes(const Dataset& dataset, const std::vector<int64_t>& classes);

}  // namespace coppice::data
