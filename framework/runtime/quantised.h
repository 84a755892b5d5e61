#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/model_index.h"

namespace coppice::runtime {

/// How an 8-bit activation stands for real values: (q - zero_point) * scale.
struct Quantisation {
  float scale = 1;
  int32_t zero_point = 0;
  graph::DType dtype = graph::DType::U8;

  bool operator==(const Quantisation&) const = default;
};

/// The quantisation of a QuantizeLinear's output or a DequantizeLinear's input; nullopt when it is
/// per channel or not 8-bit.
std::optional<Quantisation> per_tensor_quantisation(const ModelIndex& index,
                                                    const graph::Node& node);

/// A Conv or Gemm over 8-bit values as QDQ graphs write it, with what follows it:
/// DQ(x), DQ(weight) → Conv | Gemm → [Add(DQ(residual))] → [Relu | Clip from 0] → [Q].
///
/// With sums of (x - x zero) * weight in int32, an output value is
///   v = (sum + bias) * multiplier[channel] + (residual - residual zero) * residual_multiplier,
///   clamped by the ReLU or Clip,
/// in float, the residual by a fused multiply-add, which rounds once (as processors and oneDNN have
/// it: every backend computes the same integers); then round half to even, add the zero point and
/// saturate. Rounding differs from that of the unfused graph by at most one step (Jacob et al.,
/// CVPR 2018, use the same form with fixed-point multipliers).
struct QuantisedLayer {
  const graph::Node* layer = nullptr;  ///< the Conv or Gemm
  std::string input;  ///< an 8-bit value; [n, c, h, w], or [n, features] for a Gemm
  Quantisation input_quantisation;
  graph::Tensor weight;            ///< i8, zero point 0
  std::vector<float> bias;         ///< per output channel, in units of the sums
  std::vector<float> multipliers;  ///< per output channel
  std::string residual;            ///< an 8-bit value of the output's shape, or empty
  Quantisation residual_quantisation;
  float residual_multiplier = 0;
  bool relu = false;
  float ceiling = std::numeric_limits<float>::infinity();  ///< of v, by a Clip
  const graph::Node* output = nullptr;  ///< the node that is computed; f32 without the last Q
  int32_t output_zero_point = 0;
};

/// The upper limit of a ReLU (infinity) or of a Clip from 0; nullopt for other nodes.
std::optional<float> rectified_below(const graph::Node& node);

/// The layer that ends at `last`, or nullopt. What it absorbs has no other reader.
std::optional<QuantisedLayer> match_quantised_layer(ModelIndex& index, const graph::Node& last);

/// Rewrites a model so that more stays in 8 bits, with exactly the same outputs: a dequantisation
/// moves below the Flatten, MaxPool or other move of values that follows it, a quantisation above
/// the one before it. The result is for engines only: graph::verify refuses 8-bit pooling.
graph::Model keep_quantised(graph::Model model);

}  // namespace coppice::runtime
