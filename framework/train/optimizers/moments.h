#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/Parallel.h>

#include "train/optimizer.h"

namespace coppice::train {

/// Whether an optimiser reaches its values by address: contiguous floats on the CPU.
inline bool has_loop(const at::Tensor& value) {
  return value.is_cpu() && value.scalar_type() == at::kFloat && value.is_contiguous();
}

/// Values [first, first + count) of a parameter that has a loop.
struct ParameterPart {
  size_t parameter;
  int64_t first;
  int64_t count;
  float* value;
  const float* gradient;
};

/// Tensors like the parameters ("momentum", "first moment") that an optimiser keeps beside them,
/// zero at first.
class Moments {
 public:
  Moments(const std::vector<Parameter>& parameters, std::vector<std::string> names);

  const at::Tensor& tensor(size_t m, size_t p) const { return tensors_[m][p]; }

  float* data(size_t m, const ParameterPart& part) const {
    return tensors_[m][part.parameter].data_ptr<float>() + part.first;
  }

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

/// For every parameter that has a gradient: `loop(part)` where it has a loop, stretches of a
/// large one on several threads; for any other device and type `ops(p, value, gradient)`, which
/// computes with tensors.
template <class Loop, class Ops>
void for_each_gradient(const std::vector<Parameter>& parameters, Loop loop, Ops ops) {
  for (size_t p = 0; p < parameters.size(); ++p) {
    const at::Tensor& gradient = parameters[p].value.grad();
    if (!gradient.defined()) {
      continue;
    }
    const at::Tensor value = parameters[p].value.detach();  // the same memory
    if (!has_loop(value)) {
      ops(p, value, gradient);
      continue;
    }
    const at::Tensor dense = gradient.contiguous();
    at::parallel_for(0, value.numel(), kUpdateGrain, [&](int64_t first, int64_t last) {
      loop(ParameterPart{p,
                         first,
                         last - first,
                         value.data_ptr<float>() + first,
                         dense.data_ptr<float>() + first});
    });
  }
}

}  // namespace coppice::train
