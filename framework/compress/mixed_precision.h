#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

struct QuantiseOptions;

/// What may be spent on layers that stay float.
struct MixedOptions {
  std::string budget = "none";  ///< "none": all int8; "layers", "bytes", "latency"
  double limit = 0;             ///< layers in float; bytes of all weights; µs of a run of batch 1
  int64_t samples = 64;         ///< calibration samples that sensitivities are measured on

  void visit(core::Fields& f);
};

/// What it costs to compute one layer alone in int8.
struct LayerSensitivity {
  std::string layer;
  double sqnr_db = 0;  ///< of the model's outputs, signal to error; at most 200
};

/// Most sensitive first: each layer of `folded` is quantised alone, with the calibration of
/// `options` and without bias correction, and the model is run by the device engine (Wu et al.,
/// Integer Quantization for Deep Learning Inference, 2020, section 5). Layers in
/// options.float_layers are left out. REQUIRES: BN folded.
std::vector<LayerSensitivity> measure_sensitivity(const graph::Model& folded,
                                                  const graph::Tensor& samples,
                                                  const QuantiseOptions& options);

/// Layers to leave in float, in the order of `layers`: each is taken that keeps the cost of all
/// taken ones within the limit. Throws Error{InvalidArgument} where the budget can't be met even
/// with none of them.
std::vector<std::string> choose_float_layers(
    const std::vector<LayerSensitivity>& layers,
    double limit,
    const std::function<double(const std::vector<std::string>&)>& cost);

/// The names in options.float_layers and those that options.mixed adds to them.
/// `sensitivity`: gets what was measured, unless nullptr.
std::vector<std::string> all_float_layers(const graph::Model& folded,
                                          const graph::Tensor& samples,
                                          const QuantiseOptions& options,
                                          std::vector<LayerSensitivity>* sensitivity);

}  // namespace coppice::compress
