#include "train/lowering/norm_chain.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"
#include "train/lowering/batch_norm.h"
#include "train/lowering/winograd_ranges.h"

namespace coppice::train {

namespace {

constexpr int64_t kMostParts = 16;

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

/// A batch in parts for threads, and these in ranges that are worked on at once. Sums of the parts
/// do not depend on how many threads there are.
struct Parts {
  NormReluPool op;
  int64_t together;  ///< samples of a range
  int64_t count;

  /// Ranges are whole parts.
  explicit Parts(const NormReluPool& whole)
      : op(whole), together(whole.samples), count(std::min(whole.samples, kMostParts)) {}

  /// Ranges are what the convolution takes at once.
  Parts(const NormReluPool& whole, const Winograd& convolution)
      : op(whole),
        together(convolution.samples_together()),
        count(std::clamp<int64_t>(whole.samples / together, 1, kMostParts)) {}

  /// Calls body(part, the op for a range, its first sample, scratch) over threads; `scratch` has
  /// that many floats.
  template <class Body>
  void for_ranges(int64_t scratch, Body body) const {
    at::parallel_for(0, count, 1, [&](int64_t first, int64_t last) {
      const at::Tensor own_scratch = at::empty({scratch}, at::kFloat);
      for (int64_t part = first; part < last; ++part) {
        const int64_t end = op.samples * (part + 1) / count;
        NormReluPool range = op;
        for (int64_t begin = op.samples * part / count; begin < end; begin += range.samples) {
          range.samples = std::min(together, end - begin);
          body(part, range, begin, own_scratch.data_ptr<float>());
        }
      }
    });
  }

  /// body(op for a range, first sample, scratch, sums, sums) adds what a range gives.
  template <class Body>
  ChannelSums sum(int64_t scratch, Body body) const {
    std::vector<ChannelSums> of_parts(static_cast<size_t>(count), ChannelSums(op.channels));
    for_ranges(scratch, [&](int64_t part, const NormReluPool& range, int64_t begin, float* own) {
      ChannelSums& sums = of_parts[static_cast<size_t>(part)];
      body(range, begin, own, sums);
    });
    ChannelSums all(op.channels);
    for (const ChannelSums& sums : of_parts) {
      for (size_t c = 0; c < all.first.size(); ++c) {
        all.first[c] += sums.first[c];
        all.second[c] += sums.second[c];
      }
    }
    return all;
  }
};

double values_of_channel(const NormReluPool& op) {
  return static_cast<double>(op.samples * op.height * op.width);
}

/// Adds the sums of x and x x. A pixel is near every other: about the first one no digits are lost.
template <class T>
void add_moments(const NormReluPool& op, const T* x, ChannelSums& sums) {
  ChannelSums about_first(op.channels);
  NormKernels<T>::sums(op, x, x, about_first.first.data(), about_first.second.data());
  const double count = values_of_channel(op);
  for (size_t c = 0; c < sums.first.size(); ++c) {
    const auto first = static_cast<double>(x[c]);
    const double away = about_first.first[c];
    sums.first[c] += away + count * first;
    sums.second[c] += about_first.second[c] + first * (2 * away + count * first);
  }
}

/// The tensors of a chain, as forward finds them and backward again.
struct ChainTensors {
  at::Tensor x;         ///< what is normalised; with a convolution, its result
  at::Tensor residual;  ///< may be undefined
  at::Tensor gamma;
  at::Tensor beta;
};

struct RunningStatistics {
  at::Tensor mean;
  at::Tensor variance;
  bool training = false;
  double epsilon = 0;
};

/// Fills y, and x where there is a convolution.
template <class T>
ChannelStatistics forward_as(const NormReluPool& op,
                             const ChainTensors& in,
                             const WinogradForward* convolution,
                             const RunningStatistics& running,
                             const at::Tensor& y) {
  const Parts parts = convolution != nullptr ? Parts(op, convolution->op()) : Parts(op);
  const int64_t scratch = convolution != nullptr ? convolution->scratch() : 0;
  const auto convolve = [&](const NormReluPool& range, int64_t begin, float* own_scratch) {
    if (convolution != nullptr) {
      convolution->run(begin, range.samples, own_scratch);
    }
  };
  const auto normalise =
      [&](const ChannelAffine<T>& affine, const NormReluPool& range, int64_t begin) {
        NormKernels<T>::forward(range,
                                data_of<T>(in.x, begin * op.in_size()),
                                data_of<T>(in.residual, begin * op.in_size()),
                                affine.parameters(),
                                data_of<T>(y, begin * op.out_size()));
      };
  if (!running.training) {
    auto statistics = running_statistics<T>(running.mean, running.variance, running.epsilon);
    const ChannelAffine<T> affine(in.gamma, in.beta, statistics);
    parts.for_ranges(scratch, [&](int64_t, const NormReluPool& range, int64_t begin, float* own) {
      convolve(range, begin, own);
      normalise(affine, range, begin);
    });
    return statistics;
  }
  const ChannelSums sums = parts.sum(
      scratch, [&](const NormReluPool& range, int64_t begin, float* own, ChannelSums& part) {
        convolve(range, begin, own);
        add_moments<T>(range, data_of<T>(in.x, begin * op.in_size()), part);
      });
  auto statistics = batch_statistics<T>(
      sums, values_of_channel(op), running.mean, running.variance, running.epsilon);
  const ChannelAffine<T> affine(in.gamma, in.beta, statistics);
  Parts(op).for_ranges(0, [&](int64_t, const NormReluPool& range, int64_t begin, float*) {
    normalise(affine, range, begin);
  });
  return statistics;
}

struct Gradients {
  at::Tensor x;  ///< undefined where a convolution took it
  at::Tensor residual;
  at::Tensor gamma;
  at::Tensor beta;
};

template <class T>
Gradients backward_as(const NormReluPool& op,
                      const ChainTensors& in,
                      const WinogradBackward* convolution,
                      const at::Tensor& dy,
                      const ChannelStatistics& statistics,
                      bool training) {
  Gradients gradients{{}, {}, at::empty_like(in.gamma), at::empty_like(in.gamma)};
  if (in.residual.defined()) {
    gradients.residual = at::empty_like(in.residual);
  }
  const ChannelAffine<T> affine(in.gamma, in.beta, statistics);
  const ChannelSums sums =
      Parts(op).sum(0, [&](const NormReluPool& range, int64_t begin, float*, ChannelSums& part) {
        NormKernels<T>::backward_sums(range,
                                      data_of<T>(in.x, begin * op.in_size()),
                                      data_of<T>(in.residual, begin * op.in_size()),
                                      data_of<T>(dy, begin * op.out_size()),
                                      affine.parameters(),
                                      statistics.mean.data_ptr<T>(),
                                      part.first.data(),
                                      part.second.data(),
                                      data_of<T>(gradients.residual, begin * op.in_size()));
      });
  for (size_t c = 0; c < sums.first.size(); ++c) {
    const auto inverse = static_cast<double>(statistics.inverse.data_ptr<T>()[c]);
    gradients.gamma.data_ptr<T>()[c] = static_cast<T>(sums.second[c] * inverse);
    gradients.beta.data_ptr<T>()[c] = static_cast<T>(sums.first[c]);
  }
  const ChannelGradient<T> gradient(sums, training ? values_of_channel(op) : 0, affine, statistics);
  NormReluPool behind_relu = op;
  behind_relu.relu = op.relu && !in.residual.defined();
  const at::Tensor& by_sum = in.residual.defined() ? gradients.residual : dy;
  const auto by_input = [&](const NormReluPool& range, int64_t begin, T* to) {
    NormKernels<T>::backward_input(range,
                                   data_of<T>(in.x, begin * op.in_size()),
                                   data_of<T>(by_sum, begin * op.out_size()),
                                   affine.parameters(),
                                   gradient.rule(),
                                   to);
  };
  if constexpr (std::is_same_v<T, float>) {
    if (convolution != nullptr) {
      const Parts parts(behind_relu, convolution->op());
      const int64_t images = parts.together * op.in_size();
      parts.for_ranges(images + convolution->scratch(),
                       [&](int64_t, const NormReluPool& range, int64_t begin, float* scratch) {
                         by_input(range, begin, scratch);
                         convolution->run(begin, range.samples, scratch, scratch + images);
                       });
      return gradients;
    }
  }
  gradients.x = at::empty_like(in.x);
  Parts(behind_relu).for_ranges(0, [&](int64_t, const NormReluPool& range, int64_t begin, float*) {
    by_input(range, begin, data_of<T>(gradients.x, begin * op.in_size()));
  });
  return gradients;
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
    const auto run = x.scalar_type() == at::kDouble ? forward_as<double> : forward_as<float>;
    const ChannelStatistics statistics = run(op,
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
    const auto run = in.x.scalar_type() == at::kDouble ? backward_as<double> : backward_as<float>;
    const Gradients gradients = run(op,
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
    Parts(op).for_ranges(0, [&](int64_t, const NormReluPool& own, int64_t begin, float*) {
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
