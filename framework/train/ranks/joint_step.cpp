#include "train/ranks/joint_step.h"

#include <algorithm>
#include <cstring>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/hash.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/ranks/rank_group.h"

namespace coppice::train {

namespace {

constexpr int64_t kSums = 3;

std::vector<std::string> running_statistics(const Network& network) {
  std::vector<std::string> names;
  for (const graph::Node& node : network.graph().nodes) {
    if (node.op == graph::Op::BatchNorm) {
      names.push_back(node.inputs[3]);
      names.push_back(node.inputs[4]);
    }
    if (node.op == graph::Op::QuantizeLinear &&
        !network.weights().at(node.inputs[1]).requires_grad() &&
        std::find(names.begin(), names.end(), node.inputs[1]) == names.end()) {
      names.push_back(node.inputs[1]);  // moves with the batches
    }
  }
  return names;
}

at::Tensor to_tensor_f64(const std::vector<double>& values) {
  at::Tensor tensor =
      at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions(at::kDouble));
  std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(double));
  return tensor;
}

}  // namespace

JointStep::JointStep(Network& network, RankGroup& ranks)
    : network_(network), ranks_(ranks), running_(running_statistics(network)) {
  int64_t size = kSums;
  for (const Parameter& p : network.parameters()) {
    size += p.value.numel();
  }
  for (const std::string& name : running_) {
    size += network.weights().at(name).numel();
  }
  const at::Tensor& any = network.parameters().front().value;
  buffer_ = at::zeros({size}, any.detach().options());
}

StepSums JointStep::exchange(double share, const StepSums& own) {
  const at::NoGradGuard no_grad;
  int64_t used = 0;
  const auto next = [&](const at::Tensor& like) {
    const at::Tensor part = buffer_.narrow(0, used, like.numel());
    used += like.numel();
    return part.view(like.sizes());
  };
  const auto walk = [&](auto gradient, auto statistic) {
    used = 0;
    for (const Parameter& p : network_.parameters()) {
      gradient(next(p.value), p.value.grad());
    }
    for (const std::string& name : running_) {
      const at::Tensor& values = network_.weights().at(name);
      statistic(next(values), values);
    }
  };
  walk(
      [](const at::Tensor& part, const at::Tensor& gradient) {
        if (gradient.defined()) {
          part.copy_(gradient);
        } else {
          part.zero_();
        }
      },
      [&](const at::Tensor& part, const at::Tensor& values) { part.copy_(values).mul_(share); });
  const at::Tensor sums = buffer_.narrow(0, used, kSums);
  sums[0].fill_(own.loss);
  sums[1].fill_(own.correct);
  sums[2].fill_(own.stops);
  ranks_.sum(buffer_);
  walk(
      [](const at::Tensor& part, const at::Tensor& gradient) {
        if (gradient.defined()) {
          gradient.copy_(part);
        }
      },
      [](const at::Tensor& part, const at::Tensor& values) { values.copy_(part); });
  return {sums[0].item<double>(), sums[1].item<double>(), sums[2].item<double>()};
}

void take_first(RankGroup& ranks, std::vector<double>& values) {
  at::Tensor tensor = to_tensor_f64(values);
  if (ranks.placement().rank != 0) {
    tensor.zero_();
  }
  ranks.sum(tensor);
  std::memcpy(values.data(), tensor.data_ptr(), values.size() * sizeof(double));
}

void check_same(RankGroup& ranks, const std::string& state) {
  // The numbers are the same everywhere exactly where n times the sum of squares is the square of
  // the sum; 16 bits each keep both exact for a thousand ranks.
  const std::string hash = core::sha256(state);
  std::vector<double> numbers;
  for (size_t i = 0; i < 8; ++i) {
    const auto number = static_cast<double>(std::stoul(hash.substr(4 * i, 4), nullptr, 16));
    numbers.push_back(number);
    numbers.push_back(number * number);
  }
  at::Tensor sums = to_tensor_f64(numbers);
  ranks.sum(sums);
  const auto* sum = sums.data_ptr<double>();
  for (size_t i = 0; i < numbers.size(); i += 2) {
    if (static_cast<double>(ranks.placement().ranks) * sum[i + 1] != sum[i] * sum[i]) {
      throw core::Error(core::ErrorKind::Refused,
                        "the ranks do not begin with the same network, data and progress; each "
                        "must see the same job file, inputs and output folder");
    }
  }
}

}  // namespace coppice::train
