#pragma once

#include <filesystem>

#include "graph/graph.h"

namespace coppice::train {

/// Writes the model as TorchScript: a module with one method, `forward`, that takes the graph's raw
/// inputs (preprocessing is inside) and gives its output, or a tuple of its outputs. Python loads
/// it with `torch.jit.load`, C++ with `torch::jit::load`.
///
/// Weights that train are its parameters, other constants its buffers, under their names with '_'
/// for what Python's names cannot hold and behind single words; `class_names` is a list of the
/// classes. The file is in evaluation mode: after `.train()`, dropout drops and BN takes the
/// batch's statistics, so that the module can be trained on.
///
/// A quantised (QDQ) model keeps its 8-bit weights as buffers and computes each QuantizeLinear and
/// DequantizeLinear as ONNX defines it, in float: what the network says node by node, which differs
/// from the device's integer arithmetic by at most a step per layer. Rounding has no gradient.
///
/// Throws Error{Io} when the file cannot be written.
void save_torchscript(const graph::Model& model, const std::filesystem::path& file);

/// Microseconds that libtorch takes for one sample of zeros, op by op without fusing or folding
/// anything, as eager code runs it: the least median of `rounds` of `runs`, after a tenth of `runs`
/// that do not count. REQUIRES: both at least 1.
double eager_latency_us(const graph::Model& model, int64_t rounds, int64_t runs);

}  // namespace coppice::train
