#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/onednn/byte_loops.h"

/// Loops of byte_loops.h that need a division per value, in a fraction of its time and with the
/// same results.
namespace coppice::runtime::onednn {

/// Whether the processor is for them and `scale` far enough from the ends of the range of floats.
bool quantises_directly(float scale);

/// REQUIRES of both: quantises_directly(scale).
void quantise_directly(const float* x, float scale, bool is_signed, int64_t count, std::byte* out);

/// 8-bit values of a sum and what they mean.
struct ByteSum {
  WeightedSum sum;
  float scale = 1;
  bool a_signed = false;
  bool b_signed = false;
  bool is_signed = false;
};

/// round(relu(a * scale_a + b * scale_b) / scale)
void add_directly(
    const ByteSum& sum, const std::byte* a, const std::byte* b, int64_t count, std::byte* out);

}  // namespace coppice::runtime::onednn
