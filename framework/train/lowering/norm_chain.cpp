#include "train/lowering/norm_chain.h"

#include <algorithm>
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
constexpr int64_t kParts = 16;     // of a batch: sums do not depend on the number of threads

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

/// nullptr for an undefined tensor.
template <class T>
T* data_of(const at::Tensor& tensor, int64_t offset = 0) {
  return tensor.defined() ? tensor.data_ptr<T>() + offset : nullptr;
}

/// Calls body(part, the op for the part's samples, its first sample) over threads.
template <class Body>
void for_parts(const NormReluPool& op, Body body) {
  at::parallel_for(0, kParts, 1, [&](int64_t first, int64_t last) {
    for (int64_t part = first; part < last; ++part) {
      const int64_t begin = op.samples * part / kParts;
      NormReluPool own = op;
      own.samples = op.samples * (part + 1) / kParts - begin;
      if (own.samples > 0) {
        body(part, own, begin);
      }
    }
  });
}

/// Two sums by channel over all samples. body(own, first sample, sums, sums) adds those of a part.
struct ChannelSums {
  std::vector<double> first;
  std::vector<double> second;

  template <class Body>
  ChannelSums(const NormReluPool& op, Body body)
      : first(static_cast<size_t>(op.channels)), second(first.size()) {
    const size_t channels = first.size();
    std::vector<double> of_parts(2 * channels * static_cast<size_t>(kParts));
    for_parts(op, [&](int64_t part, const NormReluPool& own, int64_t begin) {
      double* sums = of_parts.data() + 2 * channels * static_cast<size_t>(part);
      body(own, begin, sums, sums + channels);
    });
    for (size_t i = 0; i < of_parts.size(); i += 2 * channels) {
      for (size_t c = 0; c < channels; ++c) {
        first[c] += of_parts[i + c];
        second[c] += of_parts[i + channels + c];
      }
    }
  }
};

struct Statistics {
  at::Tensor mean;
  at::Tensor inverse;  ///< 1 / standard deviation
};

/// Of the batch, which moves the running ones; or the running ones.
template <class T>
Statistics statistics_of(const NormReluPool& op,
                         const at::Tensor& x,
                         const at::Tensor& running_mean,
                         const at::Tensor& running_variance,
                         bool training,
                         double epsilon) {
  Statistics result{at::empty_like(running_mean), at::empty_like(running_mean)};
  T* mean = result.mean.data_ptr<T>();
  T* inverse = result.inverse.data_ptr<T>();
  T* old_mean = running_mean.data_ptr<T>();
  T* old_variance = running_variance.data_ptr<T>();
  if (!training) {
    for (int64_t c = 0; c < op.channels; ++c) {
      mean[c] = old_mean[c];
      inverse[c] = static_cast<T>(1 / std::sqrt(static_cast<double>(old_variance[c]) + epsilon));
    }
    return result;
  }
  const T* in = x.data_ptr<T>();  // the first pixel is near every other: no digits are lost
  const ChannelSums sums(op, [&](const NormReluPool& own, int64_t begin, double* a, double* b) {
    NormKernels<T>::sums(own, in + begin * op.in_size(), in, a, b);
  });
  const auto count = static_cast<double>(op.samples * op.height * op.width);
  for (int64_t c = 0; c < op.channels; ++c) {
    const double away = sums.first[static_cast<size_t>(c)] / count;
    const double squares = sums.second[static_cast<size_t>(c)] / count;
    const double variance = std::max(squares - away * away, 0.0);
    const double centre = static_cast<double>(in[c]) + away;
    mean[c] = static_cast<T>(centre);
    inverse[c] = static_cast<T>(1 / std::sqrt(variance + epsilon));
    const double unbiased = variance * count / (count - 1);
    old_mean[c] =
        static_cast<T>((1 - kMomentum) * static_cast<double>(old_mean[c]) + kMomentum * centre);
    old_variance[c] = static_cast<T>((1 - kMomentum) * static_cast<double>(old_variance[c]) +
                                     kMomentum * unbiased);
  }
  return result;
}

/// scale (x - mean) / deviation + shift as one multiplication and addition.
template <class T>
struct Affine {
  std::vector<T> scale;
  std::vector<T> shift;

  Affine(const at::Tensor& gamma, const at::Tensor& beta, const Statistics& statistics) {
    for (int64_t c = 0; c < gamma.numel(); ++c) {
      const T factor = gamma.data_ptr<T>()[c] * statistics.inverse.data_ptr<T>()[c];
      scale.push_back(factor);
      shift.push_back(beta.data_ptr<T>()[c] - factor * statistics.mean.data_ptr<T>()[c]);
    }
  }

  NormParameters<T> parameters() const { return {scale.data(), shift.data()}; }
};

template <class T>
void forward_as(const NormReluPool& op,
                const at::Tensor& x,
                const at::Tensor& residual,
                const Affine<T>& affine,
                const at::Tensor& y) {
  for_parts(op, [&](int64_t, const NormReluPool& own, int64_t begin) {
    NormKernels<T>::forward(own,
                            data_of<T>(x, begin * op.in_size()),
                            data_of<T>(residual, begin * op.in_size()),
                            affine.parameters(),
                            data_of<T>(y, begin * op.out_size()));
  });
}

struct Gradients {
  at::Tensor x;
  at::Tensor residual;
  at::Tensor scale;
  at::Tensor shift;
};

template <class T>
Gradients backward_as(const NormReluPool& op,
                      const at::Tensor& x,
                      const at::Tensor& residual,
                      const at::Tensor& dy,
                      const at::Tensor& gamma,
                      const at::Tensor& beta,
                      const Statistics& statistics,
                      bool training) {
  Gradients gradients{at::empty_like(x), {}, at::empty_like(gamma), at::empty_like(gamma)};
  if (residual.defined()) {
    gradients.residual = at::empty_like(residual);
  }
  const Affine<T> affine(gamma, beta, statistics);
  const T* mean = statistics.mean.data_ptr<T>();
  const T* inverse = statistics.inverse.data_ptr<T>();
  const ChannelSums sums(op, [&](const NormReluPool& own, int64_t begin, double* a, double* b) {
    NormKernels<T>::backward_sums(own,
                                  data_of<T>(x, begin * op.in_size()),
                                  data_of<T>(residual, begin * op.in_size()),
                                  data_of<T>(dy, begin * op.out_size()),
                                  affine.parameters(),
                                  mean,
                                  a,
                                  b,
                                  data_of<T>(gradients.residual, begin * op.in_size()));
  });
  const auto channels = static_cast<size_t>(op.channels);
  const auto count = static_cast<double>(op.samples * op.height * op.width);
  std::vector<T> slope(channels);
  std::vector<T> constant(channels);
  for (size_t c = 0; c < channels; ++c) {
    const auto inv = static_cast<double>(inverse[c]);
    gradients.scale.data_ptr<T>()[c] = static_cast<T>(sums.second[c] * inv);
    gradients.shift.data_ptr<T>()[c] = static_cast<T>(sums.first[c]);
    if (training) {
      // The batch's own mean and variance depend on every x of the channel.
      const auto scale = static_cast<double>(affine.scale[c]);
      const double per_x = -scale * inv * inv * sums.second[c] / count;
      slope[c] = static_cast<T>(per_x);
      constant[c] =
          static_cast<T>(-scale * sums.first[c] / count - per_x * static_cast<double>(mean[c]));
    }
  }
  NormReluPool behind_relu = op;
  behind_relu.relu = op.relu && !residual.defined();
  const at::Tensor& gradient = residual.defined() ? gradients.residual : dy;
  for_parts(behind_relu, [&](int64_t, const NormReluPool& own, int64_t begin) {
    NormKernels<T>::backward_input(own,
                                   data_of<T>(x, begin * op.in_size()),
                                   data_of<T>(gradient, begin * op.out_size()),
                                   affine.parameters(),
                                   {slope.data(), constant.data()},
                                   data_of<T>(gradients.x, begin * op.in_size()));
  });
  return gradients;
}

class NormChainFunction : public torch::autograd::Function<NormChainFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& input,
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
    const at::Tensor residual = added ? channels_last(*added) : at::Tensor();
    const NormReluPool op = op_of(x, relu, pool);
    const at::Tensor y = empty_output(x, op);
    Statistics statistics;
    const auto run = [&]<class T>(T) {
      statistics = statistics_of<T>(op, x, running_mean, running_variance, training, epsilon);
      forward_as<T>(op, x, residual, Affine<T>(gamma, beta, statistics), y);
    };
    x.scalar_type() == at::kDouble ? run(0.0) : run(0.0F);
    context->save_for_backward({x, residual, gamma, beta, statistics.mean, statistics.inverse});
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
        op_of(x, context->saved_data["relu"].toBool(), context->saved_data["pool"].toBool());
    const auto run = x.scalar_type() == at::kDouble ? backward_as<double> : backward_as<float>;
    const Gradients gradients = run(op,
                                    x,
                                    saved[1],
                                    channels_last(outputs[0]),
                                    saved[2],
                                    saved[3],
                                    {saved[4], saved[5]},
                                    context->saved_data["training"].toBool());
    return {
        gradients.x, gradients.residual, gradients.scale, gradients.shift, {}, {}, {}, {}, {}, {}};
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
      chain.residual.defined() ? c10::optional<at::Tensor>(chain.residual) : c10::nullopt,
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
  const at::Tensor x = channels_last(input);
  const NormReluPool op = op_of(x, /*relu=*/true, /*pool=*/true);
  at::Tensor y = empty_output(x, op);
  const auto run = [&]<class T>(T) {
    const std::vector<T> ones(static_cast<size_t>(op.channels), T{1});
    const std::vector<T> zeros(ones.size());
    for_parts(op, [&](int64_t, const NormReluPool& own, int64_t begin) {
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
