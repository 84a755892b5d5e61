#include "train/lowering/winograd_convolution.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "train/kernels/winograd.h"

namespace coppice::train {

namespace {

at::Tensor in_channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

Winograd winograd_of(const at::Tensor& x, const at::Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

at::Tensor transform(const Winograd& op, const at::Tensor& weight, bool turn) {
  at::Tensor transformed = at::empty({op.transformed()}, weight.options());
  winograd_weights(op, weight.data_ptr<float>(), turn, transformed.data_ptr<float>());
  return transformed;
}

/// Calls body(part of the blocks, the first, the one behind the last, scratch) over threads.
template <class Body>
void for_block_parts(const Winograd& op, const at::Tensor& like, Body body) {
  const int64_t parts = std::min<int64_t>(at::get_num_threads(), op.blocks());
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    const at::Tensor scratch = at::empty({op.scratch()}, like.options());
    for (int64_t part = begin; part < end; ++part) {
      body(part,
           op.blocks() * part / parts,
           op.blocks() * (part + 1) / parts,
           scratch.data_ptr<float>());
    }
  });
}

at::Tensor empty_result(const Winograd& op, const at::Tensor& x) {
  return at::empty({op.samples, op.out, op.height, op.width},
                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

const float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

/// Gives back its input besides the result: whoever else reads that, reads it from here, so that
/// the gradients of both meet on the way to memory.
class WinogradFunction : public torch::autograd::Function<WinogradFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const at::Tensor& input,
                                                const at::Tensor& given_weight) {
    const at::Tensor x = in_channels_last(input);
    const at::Tensor weight = given_weight.contiguous();
    context->save_for_backward({x, weight});
    context->set_materialize_grads(false);
    const Winograd op = winograd_of(x, weight);
    const at::Tensor transformed = transform(op, weight, /*turn=*/false);
    const at::Tensor y = empty_result(op, x);
    for_block_parts(op, x, [&](int64_t, int64_t first, int64_t last, float* scratch) {
      winograd_forward(op,
                       first,
                       last,
                       x.data_ptr<float>(),
                       transformed.data_ptr<float>(),
                       /*added=*/nullptr,
                       y.data_ptr<float>(),
                       scratch);
    });
    return {y, x};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outputs) {
    const at::Tensor& of_input = outputs[1];
    if (!outputs[0].defined()) {
      return {of_input, at::Tensor()};
    }
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor dy = in_channels_last(outputs[0]);
    const Winograd op = winograd_of(x, weight);
    const Winograd turned = op.turned();  // as many blocks and as much scratch
    at::Tensor dx;
    at::Tensor transformed;
    at::Tensor added;
    if (context->needs_input_grad(0)) {
      dx = empty_result(turned, x);
      transformed = transform(op, weight, /*turn=*/true);
      added = of_input.defined() ? in_channels_last(of_input) : at::Tensor();
    }
    at::Tensor sums;  // of the gradient by the transformed weight, of each part
    if (context->needs_input_grad(1)) {
      sums = at::zeros({at::get_num_threads(), op.transformed()}, x.options());
    }
    for_block_parts(op, x, [&](int64_t part, int64_t first, int64_t last, float* scratch) {
      if (dx.defined()) {
        winograd_forward(turned,
                         first,
                         last,
                         dy.data_ptr<float>(),
                         transformed.data_ptr<float>(),
                         data_or_null(added),
                         dx.data_ptr<float>(),
                         scratch);
      }
      if (sums.defined()) {
        winograd_gradient(op,
                          first,
                          last,
                          x.data_ptr<float>(),
                          dy.data_ptr<float>(),
                          sums.data_ptr<float>() + part * op.transformed(),
                          scratch);
      }
    });
    at::Tensor dw;
    if (sums.defined()) {
      dw = at::empty({op.out, op.in, 3, 3}, x.options());
      winograd_weight_gradient(op, sums.size(0), sums.data_ptr<float>(), dw.data_ptr<float>());
    }
    return {dx, dw};
  }
};

}  // namespace

bool winograd_pays(const at::Tensor& x, const at::Tensor& weight) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         x.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
         winograd_of(x, weight).pays();
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
