#include "train/weight_average.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/network.h"

namespace coppice::train {

namespace {

void copy_into(const NamedTensors& targets, const NamedTensors& values) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, target] : targets) {
    if (!target.is_floating_point()) {
      continue;
    }
    const auto value = values.find(name);
    if (value == values.end() || value->second.sizes() != target.sizes()) {
      throw core::Error(core::ErrorKind::Corrupt,
                        "no saved weight '" + name + "' of the right shape");
    }
    target.copy_(value->second);
  }
}

}  // namespace

NamedTensors copy_weights(const Network& network) {
  const at::NoGradGuard no_grad;
  NamedTensors copies;
  for (const auto& [name, tensor] : network.weights()) {
    if (tensor.is_floating_point()) {
      copies[name] = tensor.detach().clone();
    }
  }
  return copies;
}

void set_weights(Network& network, const NamedTensors& values) {
  copy_into(network.weights(), values);
}

WeightAverage::WeightAverage(const Network& network, double decay)
    : decay_(decay), values_(copy_weights(network)) {}

void WeightAverage::update(const Network& network, int64_t step) {
  const at::NoGradGuard no_grad;
  const auto n = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  for (auto& [name, average] : values_) {
    average.lerp_(network.weights().at(name), 1 - decay);
  }
}

NamedTensors WeightAverage::copy() const {
  NamedTensors copies;
  for (const auto& [name, tensor] : values_) {
    copies[name] = tensor.clone();
  }
  return copies;
}

void WeightAverage::restore(const NamedTensors& values) {
  copy_into(values_, values);
}

BorrowedWeights::BorrowedWeights(Network& network, const NamedTensors& values)
    : network_(network), before_(copy_weights(network)) {
  set_weights(network, values);
}

BorrowedWeights::~BorrowedWeights() {
  set_weights(network_, before_);
}

}  // namespace coppice::train
