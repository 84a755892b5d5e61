#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include "compress/channels.h"
#include "compress/criteria.h"
#include "core/error.h"
#include "train/network.h"
#include "train/penalty.h"

namespace coppice::train {

namespace {

class Growing final : public Penalty {
 public:
  Growing(const Network& network, const recipe::GrowingOptions& options) : options_(options) {
    const graph::Model model = network.to_model();
    for (const compress::ChannelGroup& group : compress::find_groups(model)) {
      if (group.prunable) {
        choose(network, model, group);
      }
    }
    if (chosen_.empty()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "penalty.growing: there is no filter to press on: the network has no "
                        "channels that could go, or 'share' is less than one channel of each "
                        "group; raise it or leave 'ceiling' at 0");
    }
  }

  double add_gradient(int64_t step) const override {
    const at::NoGradGuard no_grad;
    const auto increments = static_cast<double>(step / options_.every + 1);
    const double strength = std::min(options_.ceiling, options_.increment * increments);
    double sum = 0;
    for (const Filters& filters : chosen_) {
      const at::Tensor& gradient = filters.weight.grad();
      if (!gradient.defined()) {
        continue;
      }
      const at::Tensor pressed = filters.weight.detach() * filters.mask;
      sum += pressed.square().sum().item<double>();
      gradient.add_(pressed, strength);
    }
    return strength / 2 * sum;
  }

 private:
  struct Filters {
    at::Tensor weight;
    at::Tensor mask;  ///< 1 for the values of the filters that are to go, 0 for others
  };

  /// Takes note of the group's weakest filters, in all layers that make its channels.
  void choose(const Network& network,
              const graph::Model& model,
              const compress::ChannelGroup& group) {
    const auto count = static_cast<size_t>(
        std::floor(options_.share * static_cast<double>(group.channels) + 1e-9));
    if (count == 0) {
      return;
    }
    const auto weakest = compress::weakest_first(compress::score_channels("l1", model, group));
    for (const compress::ChannelSlice& slice : group.slices) {
      const bool first_use = model.graph.consumers(slice.weight).front()->name == slice.node;
      if (!slice.producer || !first_use) {  // a weight that several layers share counts once
        continue;
      }
      Filters filters{network.weights().at(slice.weight), {}};
      filters.mask = at::zeros_like(filters.weight.detach());
      for (size_t i = 0; i < count; ++i) {
        filters.mask
            .narrow(static_cast<int64_t>(slice.dimension),
                    slice.offset + weakest[i] * slice.block,
                    slice.block)
            .fill_(1);
      }
      chosen_.push_back(std::move(filters));
    }
  }

  recipe::GrowingOptions options_;
  std::vector<Filters> chosen_;
};

}  // namespace

std::unique_ptr<Penalty> make_growing(const Network& network,
                                      const recipe::GrowingOptions& options) {
  return std::make_unique<Growing>(network, options);
}

}  // namespace coppice::train
