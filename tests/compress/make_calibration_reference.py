#!/usr/bin/python3
"""Writes calibration_reference.h: bounds by entropy, straight from Migacz, 8-bit Inference with TensorRT (GTC 2017).

Run by hand: tests/compress/make_calibration_reference.py > tests/compress/calibration_reference.h
"""
import numpy as np
import scipy
from scipy.stats import entropy

BINS = 2048
b = np.arange(BINS, dtype=np.int64)

# Whole numbers only, so that the test makes the same counts.
SHAPES = {
    "kDecaying": 1000000 * 1600 // (1600 + b * b),
    "kTriangle": (BINS - b) * 7,
    "kOutlier": np.where(b < 400, (400 - b) * 50, 0) + np.where(b == BINS - 1, 3, 0),
    "kTwoHills": np.maximum(0, 300 - np.abs(b - 200)) * 9 + np.maximum(0, 60 - np.abs(b - 1500)),
}


def quantised(bins, levels):
    """The bins merged into `levels`, spread again over those that are not empty."""
    result = np.zeros(len(bins))
    for level in range(levels):
        first, end = level * len(bins) // levels, (level + 1) * len(bins) // levels
        part = bins[first:end]
        filled = part > 0
        if filled.any():
            result[first:end][filled] = part.sum() / filled.sum()
    return result


def divergence(counts, size, levels):
    reference = counts[:size].astype(float).copy()
    reference[-1] += counts[size:].sum()
    candidate = quantised(counts[:size].astype(float), levels)
    return entropy(reference / reference.sum(), candidate / candidate.sum())


def best(counts, levels):
    losses = [divergence(counts, size, levels) for size in range(levels, BINS + 1)]
    return levels + int(np.argmin(losses))


print(f"""// Written by make_calibration_reference.py with numpy {np.__version__} and scipy {scipy.__version__}.
// clang-format off
#pragma once

namespace coppice::compress::reference {{

/// Bins kept of 2048 by least entropy, in 128 levels (i8) and in 256 (u8).
struct Kept {{
  int signed_bins;
  int unsigned_bins;
}};
""")
for name, counts in SHAPES.items():
    print(f"inline constexpr Kept {name}{{{best(counts, 128)}, {best(counts, 256)}}};")
print("\n}  // namespace coppice::compress::reference")
