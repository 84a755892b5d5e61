#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/Parallel.h>

#include "train/optimizer.h"

namespace coppice::train {

/// Tensors like the parameters ("momentum", "first moment") that an optimiser keeps, zero at first;
/// on the CPU, where optimisers compute wherever the network is.
class Moments {
 public:
  Moments(const std::vector<Parameter>& parameters, std::vector<std::string> names);

  /// Values of moment `m` of parameter `p`; REQUIRES: contiguous f32.
  float* data(size_t m, size_t p) const { return tensors_[m][p].data_ptr<float>(); }

  OptimizerState state(int64_t steps) const;
  /// Copies the values; throws Error{Corrupt} for missing names or other shapes.
  void restore(const OptimizerState& state);

 private:
  std::vector<std::string> parameter_names_;
  std::vector<std::string> names_;
  std::vector<std::vector<at::Tensor>> tensors_;
};

/// What optimisers with moments have in common: all but the name and the step.
class MomentOptimizer : public Optimizer {
 public:
  void set_momentum(double momentum) override { options_.momentum = momentum; }

  OptimizerState state() const override { return moments_.state(steps_); }

  void restore(const OptimizerState& state) override {
    moments_.restore(state);
    steps_ = state.steps;
  }

 protected:
  MomentOptimizer(std::vector<Parameter> parameters,
                  const recipe::OptimizerOptions& options,
                  std::vector<std::string> moments)
      : parameters_(std::move(parameters)),
        options_(options),
        moments_(parameters_, std::move(moments)) {}

  std::vector<Parameter> parameters_;
  recipe::OptimizerOptions options_;
  Moments moments_;
  int64_t steps_ = 0;
};

inline double decay_of(const Parameter& parameter, const recipe::OptimizerOptions& options) {
  return parameter.decays() || options.decay_all ? options.weight_decay : 0;
}

/// Values that one thread updates faster than another is woken.
inline constexpr int64_t kUpdateGrain = 1 << 16;

/// Calls `update(p, values, gradient, first, last)` for the values [first, last) of every parameter
/// that has a gradient, stretches of a large one on several threads.
template <class Update>
void for_each_gradient(const std::vector<Parameter>& parameters, Update update) {
  for (size_t p = 0; p < parameters.size(); ++p) {
    const at::Tensor& value = parameters[p].value;
    if (!value.grad().defined()) {
      continue;
    }
    const at::Tensor gradient = value.grad().cpu().contiguous();
    const at::Tensor here = value.detach().cpu();  // the same memory where that is on the CPU
    at::parallel_for(0, value.numel(), kUpdateGrain, [&](int64_t first, int64_t last) {
      update(p, here.data_ptr<float>(), gradient.data_ptr<float>(), first, last);
    });
    if (!value.is_cpu()) {
      value.detach().copy_(here);
    }
  }
}

}  // namespace coppice::train
