#include "train/qat/qat.h"

#include "train/network.h"
#include "train/sample_tensor.h"

namespace coppice::train {

namespace {

compress::QuantiseOptions calibration_of(const recipe::QatOptions& options) {
  compress::QuantiseOptions calibration;
  calibration.calibration = options.calibration;
  calibration.percentile = options.percentile;
  calibration.samples = options.samples;
  calibration.bias_correction = false;
  calibration.round_sums = options.round_sums;
  calibration.float_layers = options.float_layers;
  return calibration;
}

}  // namespace

QuantisedTraining::QuantisedTraining(const graph::Model& model,
                                     const data::Dataset& train,
                                     const recipe::QatOptions& options)
    : form_(compress::make_qat_form(model,
                                    first_samples(train, options.samples),
                                    calibration_of(options),
                                    options.scales == "lsq" ? compress::FirstScales::Lsq
                                                            : compress::FirstScales::Calibrated)),
      options_(calibration_of(options)),
      learns_scales_(options.method == "lsq") {}

void QuantisedTraining::simulate_in(Network& network) const {
  network.round_weights(form_.weights, learns_scales_);
}

graph::Model QuantisedTraining::finish(const Network& network) const {
  return compress::finish_qat_form(network.to_model(), network.weight_scales(), options_);
}

}  // namespace coppice::train
