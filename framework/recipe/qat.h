#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::recipe {

/// Training with the rounding of int8 simulated; the job's model.onnx is the int8 model. It starts
/// from the ranges of a calibration on the first training samples.
struct QatOptions {
  std::string method = "none";   ///< "none", "ste", "lsq": see train/qat/qat.h
  double freeze_bn_after = 1;    ///< epochs; then BN's statistics stay, and the ranges of "ste"
  double range_momentum = 0.01;  ///< ste: of a batch's largest value in an activation's range
  std::string scales = "calibrated";  ///< to start from: "calibrated", "lsq": 2 mean|v| / sqrt(Qp)
  std::string calibration = "percentile";  ///< as in compress::QuantiseOptions
  double percentile = 99.99;
  int64_t samples = 512;
  bool round_sums = false;
  std::vector<std::string> float_layers = {};

  bool any() const { return method != "none"; }

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
