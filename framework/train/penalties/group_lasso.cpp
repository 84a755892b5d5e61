#include <algorithm>
#include <set>

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/penalty.h"

namespace coppice::train {

namespace {

/// Weights of the layers that make a graph's outputs: their channels are what was asked for.
std::set<std::string> output_weights(const graph::Graph& graph) {
  std::set<std::string> names;
  for (const std::string& output : graph.outputs) {
    const graph::Node& node = graph.at(output);
    if (node.op == graph::Op::Conv || node.op == graph::Op::Gemm) {
      names.insert(node.inputs[1]);
    }
  }
  return names;
}

class GroupLasso final : public Penalty {
 public:
  GroupLasso(const Network& network, double strength) : strength_(strength) {
    const auto outputs = output_weights(network.graph());
    for (const Parameter& p : network.parameters()) {
      if (p.kind == ParameterKind::Weight && !outputs.contains(p.name)) {
        weights_.push_back(p);
      }
    }
    if (weights_.empty()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "penalty.group_lasso: the network has no hidden layer whose channels could "
                        "be pressed; use l1, or leave it at 0");
    }
  }

  double add_gradient(int64_t /*step*/) const override {
    const at::NoGradGuard no_grad;
    double sum = 0;
    for (const Parameter& p : weights_) {
      if (!p.value.grad().defined()) {
        continue;
      }
      const at::Tensor norms = p.value.flatten(1).square().sum(1).sqrt();
      sum += norms.sum().item<double>();
      // A channel of zeros divides 0 by something and stays.
      std::vector<int64_t> per_channel(static_cast<size_t>(p.value.dim()), 1);
      per_channel[0] = norms.size(0);
      p.value.mutable_grad().add_(p.value.div(norms.clamp_min(1e-30).view(per_channel)), strength_);
    }
    return strength_ * sum;
  }

 private:
  double strength_;
  std::vector<Parameter> weights_;
};

}  // namespace

std::unique_ptr<Penalty> make_group_lasso(const Network& network, double strength) {
  return std::make_unique<GroupLasso>(network, strength);
}

}  // namespace coppice::train
