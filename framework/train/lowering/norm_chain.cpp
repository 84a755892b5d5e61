#include "train/lowering/norm_chain.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"
#include "train/kernels/norm_relu_pool.h"

namespace coppice::train {

namespace {

constexpr double kMomentum = 0.1;  // PyTorch's: running = 0.9 running + 0.1 batch

NormReluPool op_of(const at::Tensor& x, const NormChain& chain) {
  return {x.size(0), x.size(1), x.size(2), x.size(3), chain.relu, chain.pool};
}

at::Tensor empty_output(const at::Tensor& x, const NormReluPool& op) {
  return at::empty({op.samples, op.channels, op.out_height(), op.out_width()}, x.options());
}

/// Calls body(channel, offset of its plane in x, offset in y) over threads.
template <class Body>
void for_channels(const NormReluPool& op, Body body) {
  at::parallel_for(0, op.channels, 1, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      body(c, c * op.height * op.width, c * op.out_height() * op.out_width());
    }
  });
}

/// nullptr where nothing is taken because nothing is pooled.
Taken* taken_of(const at::Tensor& taken, int64_t offset) {
  return taken.numel() == 0 ? nullptr : taken.data_ptr<Taken>() + offset;
}

template <class T>
void forward_as(const NormReluPool& op,
                const at::Tensor& x,
                const at::Tensor& scale,
                const at::Tensor& shift,
                const at::Tensor& running_mean,
                const at::Tensor& running_variance,
                bool training,
                double epsilon,
                const at::Tensor& mean,
                const at::Tensor& inverse,
                const at::Tensor& y,
                const at::Tensor& taken) {
  using Kernels = ChannelKernels<T>;
  const T* in = x.data_ptr<T>();
  T* out = y.data_ptr<T>();
  const auto count = static_cast<double>(op.samples * op.height * op.width);
  for_channels(op, [&](int64_t c, int64_t in_offset, int64_t out_offset) {
    T& running_m = running_mean.data_ptr<T>()[c];
    T& running_v = running_variance.data_ptr<T>()[c];
    Moments2 m{static_cast<double>(running_m), static_cast<double>(running_v)};
    if (training) {
      m = Kernels::moments(op, in + in_offset);
      const double unbiased = m.variance * count / (count - 1);
      running_m =
          static_cast<T>((1 - kMomentum) * static_cast<double>(running_m) + kMomentum * m.mean);
      running_v =
          static_cast<T>((1 - kMomentum) * static_cast<double>(running_v) + kMomentum * unbiased);
    }
    const double inv = 1 / std::sqrt(m.variance + epsilon);
    mean.data_ptr<T>()[c] = static_cast<T>(m.mean);
    inverse.data_ptr<T>()[c] = static_cast<T>(inv);
    const double a = static_cast<double>(scale.data_ptr<T>()[c]) * inv;
    const double b = static_cast<double>(shift.data_ptr<T>()[c]) - a * m.mean;
    Kernels::forward(op,
                     in + in_offset,
                     static_cast<T>(a),
                     static_cast<T>(b),
                     out + out_offset,
                     taken_of(taken, out_offset));
  });
}

struct Gradients {
  at::Tensor x;
  at::Tensor scale;
  at::Tensor shift;
};

template <class T>
void backward_as(const NormReluPool& op,
                 const at::Tensor& x,
                 const at::Tensor& dy,
                 const at::Tensor& scale,
                 const at::Tensor& shift,
                 const at::Tensor& mean,
                 const at::Tensor& inverse,
                 const at::Tensor& taken,
                 bool training,
                 const Gradients& gradients) {
  using Kernels = ChannelKernels<T>;
  const auto count = static_cast<double>(op.samples * op.height * op.width);
  for_channels(op, [&](int64_t c, int64_t in_offset, int64_t out_offset) {
    const T* in = x.data_ptr<T>() + in_offset;
    const T* gradient = dy.data_ptr<T>() + out_offset;
    const auto m = static_cast<double>(mean.data_ptr<T>()[c]);
    const auto inv = static_cast<double>(inverse.data_ptr<T>()[c]);
    const double a = static_cast<double>(scale.data_ptr<T>()[c]) * inv;
    const double b = static_cast<double>(shift.data_ptr<T>()[c]) - a * m;
    const GradientSums sums = Kernels::backward_sums(op,
                                                     in,
                                                     gradient,
                                                     taken_of(taken, out_offset),
                                                     static_cast<T>(a),
                                                     static_cast<T>(b),
                                                     static_cast<T>(m));
    gradients.scale.data_ptr<T>()[c] = static_cast<T>(sums.of_gradient_times_x * inv);
    gradients.shift.data_ptr<T>()[c] = static_cast<T>(sums.of_gradient);
    InputGradient<T> rule{.factor = static_cast<T>(a)};
    if (training) {
      // The batch's own mean and variance depend on every x of the channel.
      rule.slope = static_cast<T>(-a * inv * inv * sums.of_gradient_times_x / count);
      rule.offset = static_cast<T>(-a * sums.of_gradient / count);
    }
    Kernels::backward_input(op,
                            in,
                            gradient,
                            taken_of(taken, out_offset),
                            static_cast<T>(a),
                            static_cast<T>(b),
                            static_cast<T>(m),
                            rule,
                            gradients.x.data_ptr<T>() + in_offset);
  });
}

class NormChainFunction : public torch::autograd::Function<NormChainFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& input,
                            const at::Tensor& scale,
                            const at::Tensor& shift,
                            const at::Tensor& running_mean,
                            const at::Tensor& running_variance,
                            bool training,
                            double epsilon,
                            bool relu,
                            bool pool) {
    const at::Tensor x = input.contiguous();
    const NormReluPool op = op_of(x, {relu, pool});
    const at::Tensor y = empty_output(x, op);
    const at::Tensor taken =
        at::empty(pool ? y.sizes() : at::IntArrayRef{0}, at::TensorOptions(at::kByte));
    const at::Tensor mean = at::empty_like(running_mean);
    const at::Tensor inverse = at::empty_like(running_mean);
    const auto run = x.scalar_type() == at::kDouble ? forward_as<double> : forward_as<float>;
    run(op,
        x,
        scale,
        shift,
        running_mean,
        running_variance,
        training,
        epsilon,
        mean,
        inverse,
        y,
        taken);
    context->save_for_backward({x, scale, shift, mean, inverse, taken});
    context->saved_data["training"] = training;
    context->saved_data["relu"] = relu;
    context->saved_data["pool"] = pool;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outputs) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const NormReluPool op =
        op_of(x, {context->saved_data["relu"].toBool(), context->saved_data["pool"].toBool()});
    const Gradients gradients{
        at::empty_like(x), at::empty_like(saved[1]), at::empty_like(saved[2])};
    const auto run = x.scalar_type() == at::kDouble ? backward_as<double> : backward_as<float>;
    run(op,
        x,
        outputs[0].contiguous(),
        saved[1],
        saved[2],
        saved[3],
        saved[4],
        saved[5],
        context->saved_data["training"].toBool(),
        gradients);
    return {gradients.x, gradients.scale, gradients.shift, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor lower_norm_chain(const LoweringArgs& args, const NormChain& chain) {
  const at::Tensor& x = args.inputs[0];
  if (args.training && x.size(0) * x.size(2) * x.size(3) < 2) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        "node '" + args.node.name +
            "' (BatchNorm) cannot train on one value per channel; use a larger batch");
  }
  return NormChainFunction::apply(
      x,
      args.inputs[1],
      args.inputs[2],
      args.inputs[3],
      args.inputs[4],
      args.training,
      static_cast<double>(args.node.as<graph::BatchNormAttributes>().epsilon),
      chain.relu,
      chain.pool);
}

at::Tensor relu_and_pool(const at::Tensor& input) {
  const at::Tensor x = input.contiguous();
  const NormReluPool op = op_of(x, {.relu = true, .pool = true});
  at::Tensor y = empty_output(x, op);
  const auto run = [&]<class T>(T) {
    for_channels(op, [&](int64_t, int64_t in_offset, int64_t out_offset) {
      ChannelKernels<T>::forward(
          op, x.data_ptr<T>() + in_offset, T{1}, T{0}, y.data_ptr<T>() + out_offset, nullptr);
    });
  };
  x.scalar_type() == at::kDouble ? run(0.0) : run(0.0F);
  return y;
}

}  // namespace coppice::train
