#include "train/gradients.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/dot.h>

#include "train/parameter.h"

namespace coppice::train {

Gradients gradients_of(const std::vector<Parameter>& parameters) {
  Gradients gradients;
  for (const Parameter& p : parameters) {
    if (p.value.grad().defined()) {
      gradients.push_back(p.value.grad());
    }
  }
  return gradients;
}

double norm_of(const Gradients& gradients) {
  at::Tensor squares;  // read once, that a GPU is waited for once
  for (const at::Tensor& g : gradients) {
    const at::Tensor flat = g.reshape(-1);
    const at::Tensor square = at::dot(flat, flat).to(at::kDouble);
    squares = squares.defined() ? squares + square : square;
  }
  return squares.defined() ? std::sqrt(squares.item<double>()) : 0;
}

double clip_by_norm(const Gradients& gradients, double largest) {
  const double norm = norm_of(gradients);
  const double factor = largest / (norm + 1e-6);  // torch.nn.utils.clip_grad_norm_
  if (factor < 1) {
    for (const at::Tensor& g : gradients) {
      g.mul_(factor);
    }
  }
  return norm;
}

void clip_by_value(const Gradients& gradients, double largest) {
  for (const at::Tensor& g : gradients) {
    g.clamp_(-largest, largest);
  }
}

}  // namespace coppice::train
