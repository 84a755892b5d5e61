#include "train/optimizers/moments.h"

#include <ATen/ops/zeros_like.h>

#include "core/error.h"

namespace coppice::train {

Moments::Moments(const std::vector<Parameter>& parameters, std::vector<std::string> names)
    : names_(std::move(names)), tensors_(names_.size()) {
  for (const Parameter& p : parameters) {
    parameter_names_.push_back(p.name);
    for (auto& tensors : tensors_) {
      tensors.push_back(at::zeros_like(p.value.detach()));
    }
  }
}

OptimizerState Moments::state(int64_t steps) const {
  OptimizerState state;
  state.steps = steps;
  for (size_t m = 0; m < names_.size(); ++m) {
    for (size_t p = 0; p < parameter_names_.size(); ++p) {
      state.tensors[names_[m] + "/" + parameter_names_[p]] = tensors_[m][p];
    }
  }
  return state;
}

void Moments::restore(const OptimizerState& state) {
  const OptimizerState ours = this->state(0);
  if (state.tensors.size() != ours.tensors.size()) {
    throw core::Error(core::ErrorKind::Corrupt,
                      "the optimiser's state holds " + std::to_string(state.tensors.size()) +
                          " tensors instead of " + std::to_string(ours.tensors.size()));
  }
  for (const auto& [name, tensor] : ours.tensors) {
    const auto saved = state.tensors.find(name);
    if (saved == state.tensors.end() || saved->second.sizes() != tensor.sizes()) {
      throw core::Error(core::ErrorKind::Corrupt,
                        "the optimiser's state has no '" + name + "' of the right shape");
    }
    tensor.copy_(saved->second);
  }
}

}  // namespace coppice::train
