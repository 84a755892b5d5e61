#pragma once

#include <cstdint>

#include "compress/histogram.h"
#include "core/registry.h"

namespace coppice::compress {

struct QuantiseOptions;

/// The bound of an activation's range, from the histogram of its absolute values and the number of
/// steps in [0, bound].
using Calibration = double (*)(const Histogram&, int64_t levels, const QuantiseOptions&);

/// Every calibration by name: what QuantiseOptions::calibration may say.
const core::Registry<Calibration>& calibrations();

/// The largest absolute value.
double min_max_limit(const Histogram& histogram);

/// The least bound under which `percentile` per cent of the values lie, linear within a bin; the
/// limit of an empty histogram.
double percentile_limit(const Histogram& histogram, double percentile);

/// The bound whose `levels` equal steps over [0, bound] give the least mean squared error of
/// rounding and clipping, taking the values of a bin to lie at its centre. The largest one wins a
/// tie.
double mse_limit(const Histogram& histogram, int64_t levels);

/// The bound that loses the least information (Migacz, 8-bit Inference with TensorRT, GTC 2017):
/// of all numbers i of bins from levels + 1 on, the one with the least KL(P || Q), where P are the
/// first i bins with all that lies beyond them in the last one, and Q are the same bins without it,
/// merged into levels + 1 and spread again over those that are not empty. The bound is the middle
/// of bin i, or the histogram's limit where that is less. The least i wins a tie.
double entropy_limit(const Histogram& histogram, int64_t levels);

}  // namespace coppice::compress
