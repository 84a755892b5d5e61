#include "train/lowering/norm_chain.h"

#include <optional>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"
#include "train/lowering/image_parts.h"
#include "train/lowering/norm_walks.h"

namespace coppice::train {

namespace {

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

NormReluPool op_of(const at::Tensor& x, bool relu, bool pool) {
  return {x.size(0), x.size(1), x.size(2), x.size(3), relu, pool};
}

at::Tensor empty_output(const at::Tensor& x, const NormReluPool& op) {
  return at::empty({op.samples, op.channels, op.out_height(), op.out_width()},
                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

/// Gives back its input besides the result, as winograd_convolution() does.
class NormChainFunction : public torch::autograd::Function<NormChainFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const at::Tensor& input,
                                                const c10::optional<at::Tensor>& weight,
                                                const c10::optional<at::Tensor>& added,
                                                const at::Tensor& gamma,
                                                const at::Tensor& beta,
                                                const at::Tensor& running_mean,
                                                const at::Tensor& running_variance,
                                                bool training,
                                                double epsilon,
                                                bool relu,
                                                bool pool) {
    const at::Tensor x = channels_last(input);
    std::optional<WinogradForward> convolution;
    if (weight) {
      convolution.emplace(x, *weight);
    }
    const ChainTensors in{convolution ? convolution->y() : x,
                          added ? channels_last(*added) : at::Tensor(),
                          gamma,
                          beta};
    const NormReluPool op = op_of(in.x, relu, pool);
    const at::Tensor y = empty_output(in.x, op);
    const ChannelStatistics statistics =
        walk_forward(op,
                     in,
                     convolution ? &*convolution : nullptr,
                     {running_mean, running_variance, training, epsilon},
                     y);
    context->set_materialize_grads(false);
    context->save_for_backward({in.x,
                                in.residual,
                                gamma,
                                beta,
                                statistics.mean,
                                statistics.inverse,
                                weight ? x : at::Tensor(),
                                weight ? *weight : at::Tensor()});
    context->saved_data["training"] = training;
    context->saved_data["relu"] = relu;
    context->saved_data["pool"] = pool;
    return {y, x};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outputs) {
    const at::Tensor& of_others = outputs[1];
    torch::autograd::variable_list result(11);
    result[0] = of_others;
    if (!outputs[0].defined()) {
      return result;
    }
    const auto saved = context->get_saved_variables();
    const ChainTensors in{saved[0], saved[1], saved[2], saved[3]};
    const at::Tensor& weight = saved[7];
    std::optional<WinogradBackward> convolution;
    if (weight.defined()) {
      convolution.emplace(
          saved[6], weight, of_others, context->needs_input_grad(0), context->needs_input_grad(1));
    }
    const NormReluPool op =
        op_of(in.x, context->saved_data["relu"].toBool(), context->saved_data["pool"].toBool());
    const ChainGradients gradients = walk_backward(op,
                                                   in,
                                                   convolution ? &*convolution : nullptr,
                                                   channels_last(outputs[0]),
                                                   {saved[4], saved[5]},
                                                   context->saved_data["training"].toBool());
    if (convolution) {
      result[0] = convolution->dx();
      result[1] = convolution->dw();
    } else {
      result[0] = of_others.defined() ? gradients.x + of_others : gradients.x;
    }
    result[2] = gradients.residual;
    result[3] = gradients.gamma;
    result[4] = gradients.beta;
    return result;
  }
};

c10::optional<at::Tensor> if_defined(const at::Tensor& tensor) {
  return tensor.defined() ? c10::optional<at::Tensor>(tensor) : c10::nullopt;
}

}  // namespace

at::Tensor lower_norm_chain(const LoweringArgs& args, const NormChain& chain) {
  const bool convolved = chain.convolution != nullptr;
  const at::Tensor& x = convolved ? chain.convolution->inputs[0] : args.inputs[0];
  if (args.training && x.size(0) * x.size(2) * x.size(3) < 2) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        "node '" + args.node.name +
            "' (BatchNorm) cannot train on one value per channel; use a larger batch");
  }
  const auto outputs = NormChainFunction::apply(
      x,
      convolved ? if_defined(chain.convolution->inputs[1]) : c10::nullopt,
      if_defined(chain.residual),
      args.inputs[1],
      args.inputs[2],
      args.inputs[3],
      args.inputs[4],
      args.training,
      static_cast<double>(args.node.as<graph::BatchNormAttributes>().epsilon),
      chain.relu,
      chain.pool);
  if (convolved && chain.convolution->passed_on != nullptr) {
    *chain.convolution->passed_on = outputs[1];
  }
  return outputs[0];
}

at::Tensor relu_and_pool(const at::Tensor& input) {
  const at::Tensor x = channels_last(input);
  const NormReluPool op = op_of(x, /*relu=*/true, /*pool=*/true);
  at::Tensor y = empty_output(x, op);
  const auto run = [&]<class T>(T) {
    const std::vector<T> ones(static_cast<size_t>(op.channels), T{1});
    const std::vector<T> zeros(ones.size());
    ImageParts(op).for_ranges(0, [&](int64_t, const NormReluPool& own, int64_t begin, float*) {
      NormKernels<T>::forward(own,
                              data_of<T>(x, begin * op.in_size()),
                              nullptr,
                              {ones.data(), zeros.data()},
                              data_of<T>(y, begin * op.out_size()));
    });
  };
  x.scalar_type() == at::kDouble ? run(0.0) : run(0.0F);
  return y;
}

}  // namespace coppice::train
