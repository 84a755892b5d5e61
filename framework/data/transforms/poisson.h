#pragma once

#include <cstdint>

#include "core/rng.h"

namespace coppice::data {

/// A Poisson number of the given mean (0 and above): by multiplication for small means (Knuth,
/// 1969), by transformed rejection with squeeze for the others (Hörmann, "The transformed rejection
/// method for generating Poisson random variables", 1993, PTRS).
int64_t draw_poisson(double mean, core::Rng& rng);

}  // namespace coppice::data
