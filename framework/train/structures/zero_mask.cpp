#include "train/structures/zero_mask.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "train/network.h"
#include "train/optimizer.h"
#include "train/parameter.h"

namespace coppice::train {

void ZeroMask::read() {
  const at::NoGradGuard no_grad;
  zeros_.clear();
  for (const Parameter& p : network_.parameters()) {
    zeros_.push_back(p.kind == ParameterKind::Weight ? p.value.detach().eq(0) : at::Tensor());
  }
}

bool ZeroMask::any() const {
  for (const at::Tensor& zeros : zeros_) {
    if (zeros.defined() && zeros.any().item<bool>()) {
      return true;
    }
  }
  return false;
}

void ZeroMask::clear_gradients() const {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < zeros_.size(); ++i) {
    const at::Tensor& gradient = network_.parameters()[i].value.grad();
    if (zeros_[i].defined() && gradient.defined()) {
      gradient.masked_fill_(zeros_[i], 0);
    }
  }
}

void ZeroMask::clear_weights() const {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < zeros_.size(); ++i) {
    if (zeros_[i].defined()) {
      network_.parameters()[i].value.detach().masked_fill_(zeros_[i], 0);
    }
  }
}

void ZeroMask::clear_moments(Optimizer& optimizer) const {
  const at::NoGradGuard no_grad;
  const OptimizerState state = optimizer.state();
  for (const auto& [name, tensor] : state.tensors) {
    const std::string parameter = name.substr(name.find('/') + 1);
    for (size_t i = 0; i < zeros_.size(); ++i) {
      if (zeros_[i].defined() && network_.parameters()[i].name == parameter) {
        tensor.masked_fill_(zeros_[i].to(tensor.device()), 0);
      }
    }
  }
}

}  // namespace coppice::train
