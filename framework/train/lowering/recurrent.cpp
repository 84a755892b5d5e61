#include <tuple>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/zeros.h>

#include "train/lowering/lowering.h"

namespace coppice::train {

namespace {

/// The gates of a weight [1, gates h, …] or of one half of the biases, in ATen's order.
at::Tensor reordered(const at::Tensor& gates, at::IntArrayRef order) {
  const std::vector<at::Tensor> parts = gates.chunk(static_cast<int64_t>(order.size()));
  std::vector<at::Tensor> result;
  for (const int64_t gate : order) {
    result.push_back(parts[static_cast<size_t>(gate)]);
  }
  return at::cat(result);
}

std::vector<at::Tensor> parameters(const LoweringArgs& args, at::IntArrayRef order) {
  std::vector<at::Tensor> result{reordered(args.inputs[1].select(0, 0), order),
                                 reordered(args.inputs[2].select(0, 0), order)};
  if (args.inputs.size() > 3) {
    for (const at::Tensor& half : args.inputs[3].select(0, 0).chunk(2)) {
      result.push_back(reordered(half, order));
    }
  }
  return result;
}

/// Runs over time, from the end where the node says so: run(x, first state).
template <class Run>
at::Tensor over_time(const LoweringArgs& args, Run run) {
  const bool reverse = args.node.as<graph::RecurrentAttributes>().reverse;
  const at::Tensor x = reverse ? args.inputs[0].flip(1) : args.inputs[0];
  const at::Tensor state = at::zeros({1, x.size(0), args.node.shape[2]}, x.options());
  const at::Tensor y = run(x, state);
  return reverse ? y.flip(1) : y;
}

}  // namespace

/// ONNX has the gates i o f c, ATen i f c o.
at::Tensor lower_Lstm(const LoweringArgs& args) {
  return over_time(args, [&](const at::Tensor& x, const at::Tensor& state) {
    return std::get<0>(at::lstm(x,
                                {state, state},
                                parameters(args, {0, 2, 3, 1}),
                                /*has_biases=*/args.inputs.size() > 3,
                                /*num_layers=*/1,
                                /*dropout=*/0,
                                /*train=*/false,
                                /*bidirectional=*/false,
                                /*batch_first=*/true));
  });
}

/// ONNX has the gates z r h, ATen r z h.
at::Tensor lower_Gru(const LoweringArgs& args) {
  return over_time(args, [&](const at::Tensor& x, const at::Tensor& state) {
    return std::get<0>(at::gru(x,
                               state,
                               parameters(args, {1, 0, 2}),
                               /*has_biases=*/args.inputs.size() > 3,
                               /*num_layers=*/1,
                               /*dropout=*/0,
                               /*train=*/false,
                               /*bidirectional=*/false,
                               /*batch_first=*/true));
  });
}

}  // namespace coppice::train
