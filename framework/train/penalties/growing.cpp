#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>

#include "compress/channels.h"
#include "compress/criteria.h"
#include "train/network.h"
#include "train/parameter.h"
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
  }

  double add_gradient(int64_t step) const override {
    const at::NoGradGuard no_grad;
    const auto increments = static_cast<double>(step / options_.every + 1);
    const double strength = std::min(options_.ceiling, options_.increment * increments);
    double sum = 0;
    for (const Filters& filters : chosen_) {
      const at::Tensor gradient = filters.weight.grad();
      if (!gradient.defined()) {
        continue;
      }
      for (const int64_t row : filters.rows) {
        const at::Tensor filter = filters.weight.detach().select(filters.dimension, row);
        sum += filter.square().sum().item<double>();
        gradient.select(filters.dimension, row).add_(filter, strength);
      }
    }
    return strength / 2 * sum;
  }

 private:
  struct Filters {
    at::Tensor weight;
    int64_t dimension = 0;
    std::vector<int64_t> rows;
  };

  /// Takes note of the group's weakest filters, of all layers that make its channels.
  void choose(const Network& network,
              const graph::Model& model,
              const compress::ChannelGroup& group) {
    const auto weakest = compress::weakest_first(compress::score_channels("l1", model, group));
    const auto count = static_cast<size_t>(
        std::floor(options_.share * static_cast<double>(group.channels) + 1e-9));
    for (const compress::ChannelSlice& slice : group.slices) {
      const bool first_use = model.graph.consumers(slice.weight).front()->name == slice.node;
      if (!slice.producer || !first_use) {  // a weight that several layers share counts once
        continue;
      }
      Filters filters{
          network.weights().at(slice.weight), static_cast<int64_t>(slice.dimension), {}};
      for (size_t i = 0; i < count; ++i) {
        for (int64_t row = 0; row < slice.block; ++row) {
          filters.rows.push_back(slice.offset + weakest[i] * slice.block + row);
        }
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
