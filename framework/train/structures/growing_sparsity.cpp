#include "compress/sparsify.h"
#include "train/network.h"
#include "train/structure.h"
#include "train/structures/zero_mask.h"

namespace coppice::train {

namespace {

class GrowingSparsity final : public Structure {
 public:
  GrowingSparsity(Network& network, const recipe::SparsityOptions& options, int64_t total_steps)
      : network_(network), options_(options), total_steps_(total_steps), mask_(network) {
    graph::Model trial = network.to_model();  // what cannot be done is told at the beginning
    compress::sparsify_in_place(trial, options_after(total_steps));
  }

  void begin_step() override { mask_.read(); }

  void fit_gradients() override { mask_.clear_gradients(); }

  void end_step(Optimizer& optimizer, int64_t steps) override {
    mask_.clear_weights();
    if (!cuts_after(options_, steps, total_steps_)) {
      return;
    }
    graph::Model model = network_.to_model();
    if (compress::sparsify_in_place(model, options_after(steps))) {
      network_.load_weights(model.weights);
      mask_.read();
      mask_.clear_moments(optimizer);
    }
  }

 private:
  compress::SparsifyOptions options_after(int64_t steps) const {
    const auto share = [&](double final_share) {
      return sparsity_after(options_, final_share, steps, total_steps_);
    };
    compress::SparsifyOptions now{.share = share(options_.share),
                                  .scope = options_.scope,
                                  .max_share_per_layer = options_.max_share_per_layer,
                                  .exclude = options_.exclude};
    for (const recipe::LayerSparsity& layer : options_.layers) {
      now.layers.push_back({layer.nodes, share(layer.share)});
    }
    return now;
  }

  Network& network_;
  recipe::SparsityOptions options_;
  int64_t total_steps_;
  ZeroMask mask_;
};

}  // namespace

std::unique_ptr<Structure> make_growing_sparsity(Network& network,
                                                 const recipe::SparsityOptions& options,
                                                 int64_t total_steps) {
  return std::make_unique<GrowingSparsity>(network, options, total_steps);
}

}  // namespace coppice::train
