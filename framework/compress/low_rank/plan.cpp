#include "compress/low_rank/plan.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "compress/layer_weights.h"
#include "compress/low_rank/factors.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

/// Positions of a spatial output for one sample.
int64_t pixels_of(const graph::Shape& shape) {
  int64_t pixels = 1;
  for (size_t i = 2; i < shape.size(); ++i) {
    pixels *= shape[i];
  }
  return pixels;
}

/// Why a layer stays whole; empty where it need not.
std::string obstacle_of(const graph::Node& node,
                        const std::map<std::string, int>& uses,
                        const LowRankOptions& options) {
  if (node.op != graph::Op::Gemm && node.op != graph::Op::Conv) {
    return "is a " + std::string(graph::to_string(node.op));
  }
  if (uses.at(node.inputs[1]) > 1) {
    return "shares its weight";
  }
  if (node.op == graph::Op::Gemm) {
    return options.linear == "none" ? "is linear" : "";
  }
  if (options.conv == "none") {
    return "is a convolution";
  }
  return node.as<graph::ConvAttributes>().groups > 1 ? "is a convolution in groups" : "";
}

Method method_of(const graph::Node& node, const LowRankOptions& options) {
  if (node.op == graph::Op::Gemm) {
    return Method::Svd;
  }
  const graph::Shape& kernel = node.as<graph::ConvAttributes>().kernel;
  if (kernel[0] == 1 && kernel[1] == 1) {
    return Method::Svd;
  }
  return options.conv == "cp" ? Method::Cp : Method::Tucker;
}

int64_t rounded_rank(int64_t rank, int64_t multiple, int64_t most) {
  return std::min((rank + multiple - 1) / multiple * multiple, most);
}

Ranks fitted(const FactorCandidate& layer, int64_t out, int64_t in, int64_t round_to) {
  if (layer.method == Method::Tucker) {
    return {rounded_rank(out, round_to, layer.kernel.out),
            rounded_rank(in, round_to, layer.kernel.in)};
  }
  const int64_t most =
      layer.method == Method::Svd ? std::min(layer.kernel.out, layer.kernel.in) : INT64_MAX;
  const int64_t rank = rounded_rank(std::max(out, in), round_to, most);
  return {rank, rank};
}

}  // namespace

std::vector<FactorCandidate> find_candidates(const graph::Model& model,
                                             const LowRankOptions& options) {
  const std::vector<LayerWeight> layers = layer_weights(model, "low_rank");
  const std::vector<int> chosen = match_layers(layers, options.layers, "low_rank.layers");
  const std::vector<int> excluded = match_layers(layers, options.exclude, "low_rank.exclude");
  std::map<std::string, int> uses;
  for (const graph::Node& node : model.graph.nodes) {
    for (const std::string& input : node.inputs) {
      ++uses[input];
    }
  }
  std::vector<FactorCandidate> candidates;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (chosen[i] < 0 || excluded[i] >= 0) {
      continue;
    }
    const graph::Node& node = model.graph.at(layers[i].node);
    FactorCandidate candidate{.node = node.name, .reason = obstacle_of(node, uses, options)};
    if (candidate.reason.empty()) {
      candidate.method = method_of(node, options);
      check_finite(model, layers[i], "low_rank");
      candidate.kernel = kernel_of(model.weight(layers[i].weight));
      candidate.values_out = singular_values(candidate.kernel.by_out);
      candidate.values_in = candidate.method == Method::Svd
                                ? candidate.values_out
                                : singular_values(unfold_in(candidate.kernel));
      const graph::Shape& from = model.graph.at(node.inputs[0]).shape;
      candidate.pixels_in = pixels_of(from);
      candidate.pixels_out = pixels_of(node.shape);
      candidate.pixels_between =
          candidate.kernel.width > 1 ? node.shape[2] * from[3] : candidate.pixels_out;
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

LayerCost whole_cost(const FactorCandidate& layer) {
  const int64_t weights = layer.kernel.by_out.size();
  return {weights, weights * layer.pixels_out};
}

LayerCost parts_cost(const FactorCandidate& layer, const Ranks& ranks) {
  const Kernel& k = layer.kernel;
  const int64_t in = k.in * ranks.in;
  const int64_t out = ranks.out * k.out;
  switch (layer.method) {
    case Method::Svd:  // the first part runs where the layer does, or before its stride
      return {in + out, in * layer.pixels_out + out * layer.pixels_out};
    case Method::Tucker: {
      const int64_t core = ranks.out * ranks.in * k.area();
      return {in + core + out, in * layer.pixels_in + (core + out) * layer.pixels_out};
    }
    case Method::Cp: {
      const int64_t vertical = k.height > 1 ? ranks.out * k.height : 0;
      const int64_t horizontal = k.width > 1 ? ranks.out * k.width : 0;
      return {in + vertical + horizontal + out,
              in * layer.pixels_in + vertical * layer.pixels_between +
                  (horizontal + out) * layer.pixels_out};
    }
    case Method::Keep:
      break;
  }
  return whole_cost(layer);
}

Ranks ranks_of_energy(const FactorCandidate& layer, double share, int64_t round_to) {
  return fitted(layer,
                rank_of_energy(layer.values_out, share),
                rank_of_energy(layer.values_in, share),
                round_to);
}

Ranks ranks_of_vbmf(const FactorCandidate& layer, int64_t round_to) {
  const Kernel& k = layer.kernel;
  const int64_t out = vbmf_rank(layer.values_out, k.out, k.in * k.area()).rank;
  const int64_t in = vbmf_rank(layer.values_in, k.in, k.out * k.area()).rank;
  return fitted(layer, std::max<int64_t>(out, 1), std::max<int64_t>(in, 1), round_to);
}

bool shrinks(const FactorCandidate& layer, const Ranks& ranks) {
  const LayerCost before = whole_cost(layer);
  const LayerCost after = parts_cost(layer, ranks);
  return layer.method != Method::Keep && after.parameters < before.parameters &&
         after.macs < before.macs;
}

}  // namespace coppice::compress
