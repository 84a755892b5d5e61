#include <algorithm>
#include <unordered_map>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/structure.h"

namespace coppice::train {

namespace {

/// Which weights of a parameter are one value.
struct Clusters {
  at::Tensor value;
  std::vector<size_t> of = {};     ///< by position
  std::vector<size_t> first = {};  ///< by cluster: a position of it
  std::vector<bool> zero = {};     ///< by cluster

  bool shares() const { return first.size() < of.size(); }
};

/// The numbers, on the CPU and in order: a view where they are so already.
at::Tensor in_order(const at::Tensor& tensor) {
  return tensor.detach().cpu().contiguous();
}

Clusters clusters_of(const at::Tensor& value) {
  Clusters clusters{.value = value};
  const at::Tensor here = in_order(value);
  const float* values = here.data_ptr<float>();
  std::unordered_map<float, size_t> known;
  for (size_t i = 0; i < static_cast<size_t>(here.numel()); ++i) {
    const auto [entry, is_new] = known.emplace(values[i], known.size());
    if (is_new) {
      clusters.first.push_back(i);
      clusters.zero.push_back(values[i] == 0);
    }
    clusters.of.push_back(entry->second);
  }
  return clusters;
}

class KeptShared final : public Structure {
 public:
  explicit KeptShared(const Network& network) {
    for (const Parameter& p : network.parameters()) {
      if (p.kind == ParameterKind::Weight) {
        layers_.push_back(clusters_of(p.value));
      }
    }
    if (std::none_of(
            layers_.begin(), layers_.end(), [](const Clusters& c) { return c.shares(); })) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "keep: shared: no layer of the network has equal weights; share them "
                        "first and give it as the input 'model'");
    }
  }

  void begin_step() override {}

  void fit_gradients() override {
    const at::NoGradGuard no_grad;
    for (const Clusters& layer : layers_) {
      const at::Tensor& gradient = layer.value.grad();
      if (!gradient.defined()) {
        continue;
      }
      const at::Tensor here = in_order(gradient).clone();
      float* values = here.data_ptr<float>();
      std::vector<double> sums(layer.first.size(), 0);
      for (size_t i = 0; i < layer.of.size(); ++i) {
        sums[layer.of[i]] += static_cast<double>(values[i]);
      }
      for (size_t i = 0; i < layer.of.size(); ++i) {
        const size_t k = layer.of[i];
        values[i] = layer.zero[k] ? 0.0F : static_cast<float>(sums[k]);
      }
      gradient.copy_(here);
    }
  }

  /// An optimiser moves equal weights alike but for the last bit, which vector instructions and the
  /// rest of a loop may round apart.
  void end_step(Optimizer& /*optimizer*/, int64_t /*steps*/) override {
    const at::NoGradGuard no_grad;
    for (const Clusters& layer : layers_) {
      const at::Tensor here = in_order(layer.value).clone();
      float* values = here.data_ptr<float>();
      for (size_t i = 0; i < layer.of.size(); ++i) {
        const size_t k = layer.of[i];
        values[i] = layer.zero[k] ? 0.0F : values[layer.first[k]];
      }
      layer.value.detach().copy_(here);
    }
  }

 private:
  std::vector<Clusters> layers_;
};

}  // namespace

std::unique_ptr<Structure> make_kept_shared(const Network& network) {
  return std::make_unique<KeptShared>(network);
}

}  // namespace coppice::train
