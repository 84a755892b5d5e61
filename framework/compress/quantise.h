#pragma once

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

struct QuantiseOptions {
  std::string calibration = "percentile";  ///< "min_max", "percentile", "mse"
  double percentile = 99.99;               ///< of activations kept inside the range, in per cent
  int64_t samples = 512;                   ///< calibration samples taken from the front
  bool bias_correction = true;             ///< take the mean error per channel out of the biases
  bool round_sums = false;                 ///< both inputs of an Add become integers

  void visit(core::Fields& f);
};

/// Post-training int8 as QDQ (Jacob et al., CVPR 2018): int8 weights, symmetric per output channel;
/// activations per tensor, u8 with scale = limit / 255 where none was below 0 in calibration, else
/// i8 with scale = limit / 127; int32 biases with scale = input scale x weight scale. Every zero
/// point is 0. Preprocessing stays float, as do inputs and outputs of the model; pooling by maximum
/// and moves of values (flattening, slices, enlarging) keep their input's scale; a ReLU or ReLU6
/// behind its only producer is quantised with it.
///
/// BN is folded and dropout removed first. With `bias_correction`, biases then lose the mean error
/// that quantisation puts on each channel before its activation, layer by layer (Nagel et al., ICCV
/// 2019, the variant with data).
///
/// The layer that an Add takes its sum from stays unrounded, which an engine that adds inside the
/// layer's loop needs. With `round_sums` both inputs of an Add are rounded: a little less accurate,
/// but wholly in integers for runtimes that know an Add of integers only, such as ONNX Runtime.
///
/// `samples`: raw input [n, …] of the model's input dtype. Deterministic.
/// Throws Error{InvalidArgument} for samples that do not fit, a model that is quantised already or
/// has several inputs, Error{NotFound} for an unknown calibration, Error{Numeric} for activations
/// that are not finite.
graph::Model quantise(const graph::Model& model,
                      const graph::Tensor& samples,
                      const QuantiseOptions& options);

}  // namespace coppice::compress
