#include "train/lowering/winograd_convolution.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "train/lowering/winograd_ranges.h"

namespace coppice::train {

namespace {

at::Tensor in_channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

/// Calls body(first sample, how many, scratch) over threads.
template <class Body>
void for_ranges(const Winograd& op, const at::Tensor& like, Body body) {
  const int64_t together = op.samples_together();
  const int64_t ranges = (op.samples + together - 1) / together;
  at::parallel_for(0, ranges, 1, [&](int64_t first, int64_t last) {
    const at::Tensor scratch = at::empty({op.scratch()}, like.options());
    for (int64_t range = first; range < last; ++range) {
      const int64_t begin = range * together;
      body(begin, std::min(together, op.samples - begin), scratch.data_ptr<float>());
    }
  });
}

/// Gives back its input besides the result: whoever else reads that, reads it from here, so that
/// the gradients of both meet on the way to memory.
class WinogradFunction : public torch::autograd::Function<WinogradFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const at::Tensor& input,
                                                const at::Tensor& weight) {
    const at::Tensor x = in_channels_last(input);
    context->save_for_backward({x, weight});
    context->set_materialize_grads(false);
    const WinogradForward convolution(x, weight);
    for_ranges(convolution.op(), x, [&](int64_t begin, int64_t samples, float* scratch) {
      convolution.run(begin, samples, scratch);
    });
    return {convolution.y(), x};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outputs) {
    const at::Tensor& of_others = outputs[1];
    if (!outputs[0].defined()) {
      return {of_others, at::Tensor()};
    }
    const auto saved = context->get_saved_variables();
    const at::Tensor dy = in_channels_last(outputs[0]);
    const WinogradBackward convolution(
        saved[0], saved[1], of_others, context->needs_input_grad(0), context->needs_input_grad(1));
    for_ranges(convolution.op(), dy, [&](int64_t begin, int64_t samples, float* scratch) {
      convolution.run(begin, samples, dy.data_ptr<float>() + begin * dy.stride(0), scratch);
    });
    return {convolution.dx(), convolution.dw()};
  }
};

}  // namespace

bool winograd_pays(const at::Tensor& x, const at::Tensor& weight) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         x.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
         Winograd{x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)}.pays();
}

bool winograd_takes(const LoweringArgs& conv) {
  const auto& a = conv.node.as<graph::ConvAttributes>();
  return a.stride == graph::Shape{1, 1} && a.dilation == graph::Shape{1, 1} &&
         a.pads == graph::Shape{1, 1, 1, 1} && a.groups == 1 && conv.inputs.size() == 2 &&
         conv.products == conv.real && winograd_pays(conv.inputs[0], conv.inputs[1]);
}

at::Tensor winograd_convolution(const at::Tensor& x,
                                const at::Tensor& weight,
                                at::Tensor* passed_on) {
  const auto outputs = WinogradFunction::apply(x, weight);
  if (passed_on != nullptr) {
    *passed_on = outputs[1];
  }
  return outputs[0];
}

}  // namespace coppice::train
