#include "compress/equalise.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "compress/quantise.h"
#include "core/error.h"
#include "graph/pass.h"
#include "graph/passes/rewire.h"

namespace coppice::compress {

using graph::Model;
using graph::Node;
using graph::Op;
using graph::Tensor;

namespace {

constexpr int kMostSweeps = 1000;
constexpr double kSettled = 1e-3;

/// A Conv or Gemm whose float weights nobody else reads.
bool has_own_weights(const Model& model, const Node& node) {
  return (node.op == Op::Conv || node.op == Op::Gemm) &&
         std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](const std::string& name) {
           return model.is_weight(name) && model.weight(name).dtype() == graph::DType::F32 &&
                  model.graph.consumers(name).size() == 1;
         });
}

/// Whether op(s x) = s op(x) for positive s of each channel, and channels stay apart.
bool passes_scale(const Node& node) {
  switch (node.op) {
    case Op::Relu:
    case Op::LeakyRelu:
    case Op::PRelu:
    case Op::MaxPool:
    case Op::AveragePool:
    case Op::GlobalAveragePool:
    case Op::Flatten:
    case Op::Resize:
      return true;
    case Op::Slice:
      return node.as<graph::SliceAttributes>().axis > 1;
    case Op::ReduceMean: {
      const auto& axes = node.as<graph::ReduceAttributes>().axes;
      return std::find(axes.begin(), axes.end(), 1) == axes.end();
    }
    case Op::Pad: {
      const auto& a = node.as<graph::PadAttributes>();
      const size_t rank = a.pads.size() / 2;
      return (a.mode != graph::PadMode::Constant || a.value == 0) && a.pads[1] == 0 &&
             a.pads[rank + 1] == 0;
    }
    default:
      return false;
  }
}

/// Gives each weight of `second` that multiplies channel c of `first` to visit(c, value).
template <class Visit>
void for_inputs(
    const Node& second, size_t channels, std::span<float> weight, size_t out, Visit visit) {
  const size_t row = weight.size() / out;
  if (second.op == Op::Gemm) {
    for (size_t i = 0; i < weight.size(); ++i) {
      visit(i % row / (row / channels), i / row, weight[i]);
    }
    return;
  }
  const auto groups = static_cast<size_t>(second.as<graph::ConvAttributes>().groups);
  const size_t of_group = channels / groups;
  const size_t plane = row / of_group;
  for (size_t i = 0; i < weight.size(); ++i) {
    const size_t group = i / row / (out / groups);
    visit(group * of_group + i % row / plane, i / row, weight[i]);
  }
}

std::span<float> writable(Model& model, const std::string& name) {
  Tensor& tensor = model.weights.at(name);
  tensor = tensor.clone();
  return tensor.data<float>();
}

/// sqrt(r1 / r2) by channel, 1 where a side has no weights but 0.
std::vector<double> equalising_factors(Model& model, const Node& first, const Node& second) {
  const Tensor& a = model.weight(first.inputs[1]);
  const auto channels = static_cast<size_t>(a.dim(0));
  const size_t row = static_cast<size_t>(a.size()) / channels;
  std::vector<double> r1(channels);
  std::vector<double> r2(channels);
  for (size_t i = 0; i < static_cast<size_t>(a.size()); ++i) {
    r1[i / row] = std::max(r1[i / row], std::abs(static_cast<double>(a.data<float>()[i])));
  }
  Tensor& b = model.weights.at(second.inputs[1]);
  for_inputs(second,
             channels,
             b.data<float>(),
             static_cast<size_t>(b.dim(0)),
             [&](size_t c, size_t, float& value) {
               r2[c] = std::max(r2[c], std::abs(static_cast<double>(value)));
             });
  std::vector<double> factors(channels, 1);
  for (size_t c = 0; c < channels; ++c) {
    const double factor = std::sqrt(r1[c] / r2[c]);
    factors[c] = std::isfinite(factor) && factor > 0 ? factor : 1;
  }
  return factors;
}

void scale_pair(Model& model, const Node& first, const Node& second, const std::vector<double>& s) {
  const auto divide = [&](const std::string& name) {
    const auto values = writable(model, name);
    const size_t row = values.size() / s.size();
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(static_cast<double>(values[i]) / s[i / row]);
    }
  };
  for (size_t i = 1; i < first.inputs.size(); ++i) {
    divide(first.inputs[i]);
  }
  const auto out = static_cast<size_t>(model.weight(second.inputs[1]).dim(0));
  for_inputs(second,
             s.size(),
             writable(model, second.inputs[1]),
             out,
             [&](size_t c, size_t, float& value) {
               value = static_cast<float>(static_cast<double>(value) * s[c]);
             });
}

/// Whether relu(x) - c = relu(x - c) passes through for x > c.
bool passes_offset(const Model& model, const LayerPair& pair) {
  int rectifiers = 0;
  for (const std::string& name : pair.between) {
    const Op op = model.graph.at(name).op;
    rectifiers += op == Op::Relu ? 1 : 0;
    if (op != Op::Relu && op != Op::MaxPool && op != Op::AveragePool &&
        op != Op::GlobalAveragePool && op != Op::Flatten) {
      return false;
    }
  }
  const Node& second = model.graph.at(pair.second);
  return rectifiers > 0 &&
         (second.op == Op::Gemm || second.as<graph::ConvAttributes>().pads == graph::Shape(4, 0));
}

}  // namespace

std::vector<LayerPair> find_pairs(const Model& model) {
  std::vector<LayerPair> pairs;
  for (const Node& first : model.graph.nodes) {
    if (!has_own_weights(model, first)) {
      continue;
    }
    LayerPair pair{.first = first.name, .between = {}, .second = {}};
    for (const Node* at = &first;;) {
      const auto consumers = model.graph.consumers(at->name);
      if (consumers.size() != 1 || graph::is_output(model.graph, at->name)) {
        break;
      }
      at = consumers.front();
      if (has_own_weights(model, *at)) {
        pair.second = at->name;
        pairs.push_back(pair);
        break;
      }
      if (!passes_scale(*at)) {
        break;
      }
      pair.between.push_back(at->name);
    }
  }
  return pairs;
}

std::map<std::string, NormStatistics> norm_statistics(const Model& model, const Model& folded) {
  std::map<std::string, NormStatistics> statistics;
  for (const Node& norm : model.graph.nodes) {
    if (norm.op != Op::BatchNorm) {
      continue;
    }
    const Node* same = folded.graph.find(norm.name);  // an output gives its name to the layer
    if (same != nullptr && same->op == Op::BatchNorm) {
      continue;
    }
    NormStatistics& of = statistics[same != nullptr ? norm.name : norm.inputs[0]];
    const auto shift = model.weight(norm.inputs[2]).data<float>();
    of.mean.assign(shift.begin(), shift.end());
    for (const float scale : model.weight(norm.inputs[1]).data<float>()) {
      of.deviation.push_back(std::abs(static_cast<double>(scale)));
    }
  }
  return statistics;
}

Model equalise(Model model,
               const std::vector<LayerPair>& pairs,
               std::map<std::string, NormStatistics>& statistics) {
  bool settled = false;
  for (int sweep = 0; sweep < kMostSweeps && !settled; ++sweep) {
    settled = true;
    for (const LayerPair& pair : pairs) {
      const Node& first = model.graph.at(pair.first);
      const Node& second = model.graph.at(pair.second);
      const std::vector<double> s = equalising_factors(model, first, second);
      settled = settled && std::all_of(s.begin(), s.end(), [](double factor) {
                  return std::abs(factor - 1) <= kSettled;
                });
      scale_pair(model, first, second, s);
      if (const auto of = statistics.find(pair.first); of != statistics.end()) {
        for (size_t c = 0; c < s.size(); ++c) {
          of->second.mean[c] /= s[c];
          of->second.deviation[c] /= s[c];
        }
      }
    }
  }
  return model;
}

Model absorb_biases(Model model,
                    const std::vector<LayerPair>& pairs,
                    const std::map<std::string, NormStatistics>& statistics) {
  for (const LayerPair& pair : pairs) {
    const auto of = statistics.find(pair.first);
    const Node& second = model.graph.at(pair.second);
    const Node& first = model.graph.at(pair.first);
    if (of == statistics.end() || first.inputs.size() < 3 || second.inputs.size() < 3 ||
        !passes_offset(model, pair)) {
      continue;
    }
    const size_t channels = of->second.mean.size();
    std::vector<double> moved(channels);
    const auto bias = writable(model, first.inputs[2]);
    for (size_t c = 0; c < channels; ++c) {
      moved[c] = std::max(0.0, of->second.mean[c] - 3 * of->second.deviation[c]);
      bias[c] = static_cast<float>(static_cast<double>(bias[c]) - moved[c]);
    }
    Tensor& weight = model.weights.at(second.inputs[1]);
    const auto out = static_cast<size_t>(weight.dim(0));
    std::vector<double> gained(out);
    for_inputs(second, channels, weight.data<float>(), out, [&](size_t c, size_t o, float& value) {
      gained[o] += static_cast<double>(value) * moved[c];
    });
    const auto next = writable(model, second.inputs[2]);
    for (size_t o = 0; o < out; ++o) {
      next[o] = static_cast<float>(static_cast<double>(next[o]) + gained[o]);
    }
  }
  return model;
}

namespace {

/// Where it is between two layers: elsewhere, as in a hard sigmoid, the bound means something.
Model without_relu6(const Model& model) {
  Model open = model;
  for (Node& node : open.graph.nodes) {
    if (node.op == Op::Clip && node.as<graph::ClipAttributes>().low == 0) {
      node.op = Op::Relu;
      node.attributes = graph::NoAttributes{};
    }
  }
  Model result = model;
  for (const LayerPair& pair : find_pairs(open)) {
    for (const std::string& name : pair.between) {
      *result.graph.find(name) = open.graph.at(name);
    }
  }
  return result;
}

}  // namespace

Model fold_and_equalise(const Model& model, const QuantiseOptions& options, int64_t* pairs) {
  Model folded = graph::run_passes(model, graph::inference_passes());
  auto statistics = norm_statistics(model, folded);
  if (options.replace_relu6) {
    folded = without_relu6(folded);
  }
  const auto found = find_pairs(folded);
  if (found.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "quantise: no layer is followed by another through ReLU or pooling alone, so "
                      "that there is nothing to equalise; set equalise to false, or replace_relu6 "
                      "to true where ReLU6 is between");
  }
  *pairs = std::ssize(found);
  folded = equalise(std::move(folded), found, statistics);
  return options.absorb_biases ? absorb_biases(std::move(folded), found, statistics) : folded;
}

}  // namespace coppice::compress
