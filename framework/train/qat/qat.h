#pragma once

#include "compress/qat_form.h"
#include "data/dataset.h"
#include "recipe/qat.h"

namespace coppice::train {

class Network;

/// Training with quantisation (Jacob et al., CVPR 2018): the network rounds activations and weights
/// as the int8 model will, in training as in evaluation.
///
/// ste: a weight's scale follows its channel's largest value; an activation's follows the largest
/// value of the batches as a moving average (`range_momentum`).
/// lsq: scales are parameters like others (Esser et al., Learned Step Size Quantization, ICLR
/// 2020), but for weight decay. Both: BN learns and normalises by the batch until
/// `freeze_bn_after`, by its running statistics from then on, as it does when it is folded
/// (Krishnamoorthi, 2018).
class QuantisedTraining {
 public:
  /// Calibrates on the first samples of `train`. Throws what compress::make_qat_form throws.
  QuantisedTraining(const graph::Model& model,
                    const data::Dataset& train,
                    const recipe::QatOptions& options);

  /// What the network to train is made of; give it to `simulate_in` before anything else.
  const graph::Model& model() const { return form_.model; }

  void simulate_in(Network& network) const;

  /// The int8 model of the trained network. Its weights and activations round as the network's do
  /// in a forward without training; its biases are int32, which the network's are not: half a unit
  /// of an accumulator, enough to move some activations by a step.
  graph::Model finish(const Network& network) const;

 private:
  compress::QatForm form_;
  compress::QuantiseOptions options_;
  bool learns_scales_;
};

}  // namespace coppice::train
