#pragma once

#include <map>
#include <string>
#include <vector>

#include "compress/quantise.h"
#include "graph/graph.h"

namespace coppice::compress {

/// Which numbers a network that trains with quantisation starts from.
enum class FirstScales {
  Calibrated,  ///< as quantise() would choose them
  Lsq,         ///< 2 mean|v| / sqrt(Qp) (Esser et al., Learned Step Size Quantization, ICLR 2020)
};

/// A float model whose activations go through QuantizeLinear and DequantizeLinear where the int8
/// model's do. BN and dropout are still there, for training; weights are float, and whoever runs
/// the model rounds those of `weights` itself. A weight rounded with a symmetric scale for each
/// output channel and followed by BN is what the folded weight rounds to, since BN multiplies all
/// of a channel, so that what Krishnamoorthi (Quantizing deep convolutional networks for efficient
/// inference, 2018, section 3.2.2) corrects for does not arise.
struct QatForm {
  graph::Model model;
  /// Weights that become i8, with scales for their output channels, f32 [out].
  std::map<std::string, graph::Tensor> weights;
};

/// Plans and calibrates `model` as quantise() with options does; equalisation, bias correction,
/// per-tensor weights and a budget of mixed precision are not for training and refused where they
/// are asked for, float_layers are kept. Throws as quantise() does, and Error{Unsupported} for a
/// weight that two layers share.
QatForm make_qat_form(const graph::Model& model,
                      const graph::Tensor& samples,
                      const QuantiseOptions& options,
                      FirstScales first);

/// The int8 model of a trained form, in the form that quantise() gives: BN folded, weights rounded
/// with scales `weights`, activations with those of the form's nodes. `options`: those of
/// make_qat_form. Biases become int32, which the form does not simulate.
graph::Model finish_qat_form(const graph::Model& form,
                             const std::map<std::string, graph::Tensor>& weights,
                             const QuantiseOptions& options);

}  // namespace coppice::compress
