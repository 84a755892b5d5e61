#include "train/qat/fake_quantise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/round.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

namespace coppice::train {

namespace {

constexpr int64_t kStretchParts = 16;  // of a tensor: sums do not depend on the number of threads
constexpr int64_t kSumLanes = 16;      // sums side by side, which vectorises
constexpr int64_t kSumBlock = 512;     // values summed before the sum is widened

/// Adding and taking away 1.5 x 2^(digits of T) leaves the nearest integer, ties to even, of what
/// is within a quarter of that; unlike std::nearbyint it vectorises everywhere.
template <class T>
constexpr T kRounder = sizeof(T) == sizeof(float) ? T(0x1.8p23) : T(0x1.8p52);

/// x / scale, rounded; what is clipped comes out as low - 1 or high + 1. NaN stays NaN.
template <class T>
T round_scaled(T scaled, T low, T high) {
  const T above = scaled < low - 1 ? low - 1 : scaled;
  const T within = above > high + 1 ? high + 1 : above;
  return (within + kRounder<T>)-kRounder<T>;
}

template <class T>
void round_values(const T* x, T* y, int64_t count, T scale, T low, T high) {
  for (int64_t i = 0; i < count; ++i) {
    const T rounded = round_scaled(x[i] / scale, low, high);
    const T above = rounded < low ? low : rounded;
    y[i] = (above > high ? high : above) * scale;
  }
}

/// Fills dx and returns the sum that the scale's gradient is made of.
template <class T>
double pass_gradients(const T* x, const T* dy, T* dx, int64_t count, T scale, T low, T high) {
  double total = 0;
  for (int64_t block = 0; block < count; block += kSumBlock) {
    std::array<T, kSumLanes> sums{};
    const int64_t end = std::min(count, block + kSumBlock);
    const auto one = [&](int64_t i, T& sum) {
      const T scaled = x[i] / scale;
      const T rounded = round_scaled(scaled, low, high);
      const T outside = rounded < low ? low : high;
      const bool inside = rounded >= low && rounded <= high;
      dx[i] = inside ? dy[i] : T(0);
      sum += dy[i] * (inside ? rounded - scaled : outside);
    };
    int64_t i = block;
    for (; i + kSumLanes <= end; i += kSumLanes) {
      for (int64_t lane = 0; lane < kSumLanes; ++lane) {
        one(i + lane, sums[static_cast<size_t>(lane)]);
      }
    }
    for (; i < end; ++i) {
      one(i, sums[0]);
    }
    for (const T sum : sums) {
      total += static_cast<double>(sum);
    }
  }
  return total;
}

/// Stretches of values that share a scale.
struct Stretches {
  int64_t stretches = 1;  ///< equally long, each with a scale of its own
  int64_t length = 0;
  int64_t parts = 1;  ///< of each stretch

  Stretches(const at::Tensor& x, const at::Tensor& scale)
      : stretches(scale.numel()),
        length(x.numel() / scale.numel()),
        parts(scale.numel() == 1 ? kStretchParts : 1) {}

  /// body(part of all, its scale's index, first value, number of values)
  template <class Body>
  void each(Body body) const {
    at::parallel_for(0, stretches * parts, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t part = i % parts;
        const int64_t begin = length * part / parts;
        const int64_t end = length * (part + 1) / parts;
        body(i, i / parts, i / parts * length + begin, end - begin);
      }
    });
  }
};

/// In the memory order of `like`.
at::Tensor in_order_of(const at::Tensor& like, const at::Tensor& x) {
  if (x.strides() == like.strides()) {
    return x;
  }
  at::Tensor ordered = at::empty_like(like);
  ordered.copy_(x);
  return ordered;
}

template <class T>
at::Tensor quantise_as(const at::Tensor& x, const at::Tensor& scale, double low, double high) {
  at::Tensor y = at::empty_like(x);
  const T* scales = scale.data_ptr<T>();
  Stretches(x, scale).each([&](int64_t, int64_t which, int64_t first, int64_t count) {
    round_values<T>(x.data_ptr<T>() + first,
                    y.data_ptr<T>() + first,
                    count,
                    scales[which],
                    static_cast<T>(low),
                    static_cast<T>(high));
  });
  return y;
}

template <class T>
std::pair<at::Tensor, at::Tensor> quantise_backward_as(const at::Tensor& x,
                                                       const at::Tensor& scale,
                                                       const at::Tensor& dy,
                                                       double low,
                                                       double high,
                                                       double factor) {
  at::Tensor dx = at::empty_like(x);
  at::Tensor ds = at::zeros_like(scale);
  const T* scales = scale.data_ptr<T>();
  const Stretches stretches(x, scale);
  std::vector<double> sums(static_cast<size_t>(stretches.stretches * stretches.parts));
  stretches.each([&](int64_t part, int64_t which, int64_t first, int64_t count) {
    sums[static_cast<size_t>(part)] = pass_gradients<T>(x.data_ptr<T>() + first,
                                                        dy.data_ptr<T>() + first,
                                                        dx.data_ptr<T>() + first,
                                                        count,
                                                        scales[which],
                                                        static_cast<T>(low),
                                                        static_cast<T>(high));
  });
  for (int64_t which = 0; which < stretches.stretches; ++which) {
    double sum = 0;
    for (int64_t part = 0; part < stretches.parts; ++part) {
      sum += sums[static_cast<size_t>(which * stretches.parts + part)];
    }
    ds.data_ptr<T>()[which] = static_cast<T>(sum * factor);
  }
  return {dx, ds};
}

class FakeQuantiseFunction : public torch::autograd::Function<FakeQuantiseFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& given,
                            const at::Tensor& scale,
                            double low,
                            double high,
                            double factor) {
    const bool per_row = scale.numel() > 1;
    const at::Tensor x =
        per_row || !given.is_non_overlapping_and_dense() ? given.contiguous() : given;
    context->save_for_backward({x, scale});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->saved_data["factor"] = factor;
    return x.scalar_type() == at::kDouble ? quantise_as<double>(x, scale, low, high)
                                          : quantise_as<float>(x, scale, low, high);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outputs) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& scale = saved[1];
    const at::Tensor dy = in_order_of(x, outputs[0]);
    const double low = context->saved_data["low"].toDouble();
    const double high = context->saved_data["high"].toDouble();
    const double factor = context->saved_data["factor"].toDouble();
    const auto [dx, ds] = x.scalar_type() == at::kDouble
                              ? quantise_backward_as<double>(x, scale, dy, low, high, factor)
                              : quantise_backward_as<float>(x, scale, dy, low, high, factor);
    return {dx, context->needs_input_grad(1) ? ds : at::Tensor(), {}, {}, {}};
  }
};

/// The same by ATen's own operations, for tensors elsewhere.
at::Tensor fake_quantise_anywhere(const at::Tensor& x,
                                  const at::Tensor& given_scale,
                                  const FakeQuantiser& quantiser) {
  at::Tensor scale = given_scale;
  if (scale.requires_grad()) {  // the value as it is, the gradient times the factor
    scale = scale.detach() + (scale - scale.detach()) * quantiser.scale_gradient;
  }
  if (scale.numel() > 1) {
    std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
    shape[0] = scale.numel();
    scale = scale.reshape(shape);
  } else {
    scale = scale.reshape({});
  }
  const at::Tensor scaled = x / scale;
  const at::Tensor rounded = scaled + (scaled.detach().round() - scaled.detach());
  return rounded.clamp(quantiser.low, quantiser.high) * scale;
}

}  // namespace

at::Tensor fake_quantise(const at::Tensor& x,
                         const at::Tensor& scale,
                         const FakeQuantiser& quantiser) {
  const bool ours = x.is_cpu() && x.numel() > 0 && x.scalar_type() == scale.scalar_type() &&
                    (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
  return ours ? FakeQuantiseFunction::apply(
                    x, scale, quantiser.low, quantiser.high, quantiser.scale_gradient)
              : fake_quantise_anywhere(x, scale, quantiser);
}

double lsq_gradient(int64_t values, double high) {
  return 1 / std::sqrt(static_cast<double>(values) * high);
}

}  // namespace coppice::train
