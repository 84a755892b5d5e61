#include "compress/sparsify.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "compress/layer_weights.h"
#include "core/error.h"

namespace coppice::compress {

void LayerShare::visit(core::Fields& f) {
  f.field("nodes",
          nodes,
          {.help = "name of a layer's node; * and ? stand for others", .required = true});
  f.field("share",
          share,
          {.help = "of each one's weights that become zero", .min = 0, .max = 1, .required = true});
}

void SparsifyOptions::visit(core::Fields& f) {
  f.field("share",
          share,
          {.help = "of all weights that are not excluded, zero afterwards", .min = 0, .max = 1});
  f.field(
      "scope",
      scope,
      {.help = "the smallest of all layers together, or of each", .choices = {"global", "layer"}});
  f.field("max_share_per_layer",
          max_share_per_layer,
          {.help = "scope global: largest share of one layer that may go", .min = 0, .max = 1});
  f.list("layers", layers, "layers with a share of their own");
  f.field("exclude", exclude, {.help = "layers that stay as they are; * and ? stand for others"});
}

namespace {

[[noreturn]] void refuse_sparsifying(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "sparsify: " + message);
}

int64_t count_of(double share, int64_t values) {
  return std::llround(share * static_cast<double>(values));
}

int64_t zeros_of(std::span<const float> values) {
  return std::count(values.begin(), values.end(), 0.0F);
}

/// Sets the `count` smallest magnitudes of `values` to zero.
void clear_smallest(std::span<float> values, int64_t count) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto smaller = [&](size_t a, size_t b) {
    const float x = std::abs(values[a]);
    const float y = std::abs(values[b]);
    return x != y ? x < y : a < b;
  };
  std::nth_element(order.begin(), order.begin() + count, order.end(), smaller);
  for (int64_t i = 0; i < count; ++i) {
    values[order[static_cast<size_t>(i)]] = 0;
  }
}

/// One layer that takes part in "global": its magnitudes, ascending.
struct RankedLayer {
  size_t layer = 0;
  std::vector<float> magnitudes;
  int64_t most = 0;  ///< that may become zero
};

/// Zeros of each layer, so that together they are `count` and all of them are below those that
/// stay, as far as each layer's limit lets them.
std::vector<int64_t> deal_zeros(const std::vector<RankedLayer>& layers, int64_t count) {
  struct Candidate {
    float magnitude;
    size_t layer;
  };

  std::vector<Candidate> candidates;
  for (size_t i = 0; i < layers.size(); ++i) {
    for (int64_t k = 0; k < layers[i].most; ++k) {
      candidates.push_back({layers[i].magnitudes[static_cast<size_t>(k)], i});
    }
  }
  std::vector<int64_t> zeros(layers.size(), 0);
  std::nth_element(candidates.begin(),
                   candidates.begin() + count,
                   candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return a.magnitude != b.magnitude ? a.magnitude < b.magnitude
                                                       : a.layer < b.layer;
                   });
  for (int64_t i = 0; i < count; ++i) {
    ++zeros[candidates[static_cast<size_t>(i)].layer];
  }
  return zeros;
}

class Sparsifier {
 public:
  Sparsifier(const graph::Model& model, const SparsifyOptions& options)
      : model_(model),
        options_(options),
        layers_(layer_weights(model, "sparsify")),
        zeros_(layers_.size(), -1) {
    for (const LayerWeight& layer : layers_) {
      check_finite(model, layer, "sparsify");
    }
  }

  /// Zeros of each layer after it, -1 for one that stays as it is.
  const std::vector<int64_t>& plan() {
    const std::vector<int> excluded = match_layers(layers_, options_.exclude, "sparsify.exclude");
    std::vector<std::string> named;
    for (const LayerShare& own : options_.layers) {
      named.push_back(own.nodes);
    }
    const std::vector<int> own = match_layers(layers_, named, "sparsify.layers");
    std::vector<size_t> others;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (excluded[i] >= 0) {
        continue;
      }
      if (own[i] >= 0) {
        zeros_[i] = count_of(options_.layers[static_cast<size_t>(own[i])].share, size(i));
      } else if (options_.scope == "layer") {
        zeros_[i] = count_of(options_.share, size(i));
      } else {
        others.push_back(i);
      }
    }
    plan_together(others);
    return zeros_;
  }

  const std::vector<LayerWeight>& layers() const { return layers_; }

  int64_t size(size_t layer) const { return model_.weight(layers_[layer].weight).size(); }

 private:
  void plan_together(const std::vector<size_t>& members) {
    std::vector<RankedLayer> ranked;
    int64_t values = 0;
    int64_t most = 0;
    for (const size_t i : members) {
      const auto weights = model_.weight(layers_[i].weight).data<float>();
      RankedLayer layer{.layer = i, .magnitudes = {weights.begin(), weights.end()}};
      for (float& value : layer.magnitudes) {
        value = std::abs(value);
      }
      std::sort(layer.magnitudes.begin(), layer.magnitudes.end());
      layer.most = std::max(count_of(options_.max_share_per_layer, size(i)), zeros_of(weights));
      values += size(i);
      most += layer.most;
      ranked.push_back(std::move(layer));
    }
    const int64_t wanted = count_of(options_.share, values);
    if (wanted > most) {
      refuse_sparsifying(
          fmt::format("share {} cannot be reached: max_share_per_layer {} lets {:.4f} become zero",
                      options_.share,
                      options_.max_share_per_layer,
                      static_cast<double>(most) / static_cast<double>(values)));
    }
    const std::vector<int64_t> dealt = deal_zeros(ranked, wanted);
    for (size_t k = 0; k < ranked.size(); ++k) {
      zeros_[ranked[k].layer] = dealt[k];
    }
  }

  const graph::Model& model_;
  const SparsifyOptions& options_;
  std::vector<LayerWeight> layers_;
  std::vector<int64_t> zeros_;
};

}  // namespace

bool sparsify_in_place(graph::Model& model,
                       const SparsifyOptions& options,
                       SparsifyReport* report) {
  Sparsifier sparsifier(model, options);
  const std::vector<int64_t>& zeros = sparsifier.plan();
  std::vector<SparsifyReport::Row> rows;
  bool any = false;
  for (size_t i = 0; i < zeros.size(); ++i) {
    const LayerWeight& layer = sparsifier.layers()[i];
    graph::Tensor& weight = model.weights.at(layer.weight);
    const int64_t before = zeros_of(std::as_const(weight).data<float>());
    if (zeros[i] > before) {
      weight = weight.clone();
      clear_smallest(weight.data<float>(), zeros[i]);
      any = true;
    }
    rows.push_back({layer.node, layer.weight, weight.size(), before, std::max(zeros[i], before)});
  }
  if (report != nullptr) {
    report->rows = std::move(rows);
  }
  return any;
}

graph::Model sparsify(const graph::Model& model,
                      const SparsifyOptions& options,
                      SparsifyReport* report) {
  graph::Model result = model;
  if (!sparsify_in_place(result, options, report)) {
    refuse_sparsifying(
        "no weight would become zero: there are as many zeros already, or every layer is excluded");
  }
  return result;
}

}  // namespace coppice::compress
