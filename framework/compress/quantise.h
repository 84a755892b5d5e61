#pragma once

#include <string>
#include <vector>

#include "compress/mixed_precision.h"
#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

struct QuantiseOptions {
  std::string calibration = "percentile";  ///< a name of calibrations(): "min_max", "entropy", …
  double percentile = 99.99;               ///< of activations kept inside the range, in per cent
  int64_t samples = 512;                   ///< calibration samples taken from the front
  bool bias_correction = true;             ///< take the mean error per channel out of the biases
  bool round_sums = false;                 ///< both inputs of an Add become integers
  bool equalise = false;                   ///< even out the channels of layers in sequence first
  bool absorb_biases = true;               ///< with `equalise`: large biases move on where exact
  bool replace_relu6 = false;              ///< with `equalise`: ReLU6 between layers becomes ReLU
  bool per_channel = true;                 ///< scales of weights; false: one for each layer
  std::vector<std::string> float_layers = {};  ///< Conv and Gemm nodes that stay float
  MixedOptions mixed = {};                     ///< which others stay float

  void visit(core::Fields& f);
};

/// What quantising found and chose.
struct QuantiseReport {
  std::vector<std::string> int8_layers;
  std::vector<std::string> float_layers;      ///< named and chosen ones
  std::vector<LayerSensitivity> sensitivity;  ///< most sensitive first; with options.mixed only
  int64_t equalised_pairs = 0;
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
/// With `equalise`, channels are evened out before (equalise.h). Layers named in `float_layers`,
/// and the most sensitive ones within the budget of `mixed` (mixed_precision.h), stay float.
///
/// The layer that an Add takes its sum from stays unrounded, which an engine that adds inside the
/// layer's loop needs. With `round_sums` both inputs of an Add are rounded: a little less accurate,
/// but wholly in integers for runtimes that know an Add of integers only, such as ONNX Runtime.
///
/// `samples`: raw input [n, …] of the model's input dtype. Deterministic, but for a budget of
/// latency. `report`: gets what was chosen, unless nullptr.
/// Throws Error{InvalidArgument} for samples that do not fit, a model that is quantised already or
/// has several inputs, for a budget that can't be met and for `equalise` where no two layers follow
/// each other; Error{NotFound} for an unknown calibration or layer; Error{Numeric} for weights or
/// activations that are not finite.
graph::Model quantise(const graph::Model& model,
                      const graph::Tensor& samples,
                      const QuantiseOptions& options,
                      QuantiseReport* report = nullptr);

/// Throws what quantise() throws for options out of range, a model that it does not take and
/// samples that do not fit.
void check_quantisable(const graph::Model& model,
                       const graph::Tensor& samples,
                       const QuantiseOptions& options);

}  // namespace coppice::compress
