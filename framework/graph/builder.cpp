#include "graph/builder.h"

#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/initialise.h"
#include "graph/shapes/rules.h"
#include "graph/standardise.h"

namespace coppice::graph {

namespace {

Tensor filled(const Shape& shape, float value) {
  Tensor tensor(DType::F32, shape);
  for (float& element : tensor.data<float>()) {
    element = value;
  }
  return tensor;
}

}  // namespace

Builder::Builder(DType input_dtype, Shape sample_shape, core::Rng rng) : rng_(rng) {
  sample_shape.insert(sample_shape.begin(), kBatch);
  Node node;
  node.name = "input";
  node.attributes = InputAttributes{input_dtype, std::move(sample_shape)};
  append(std::move(node));
}

const std::string& Builder::input() const {
  return model_.graph.nodes.front().name;
}

std::string Builder::normalise(const std::string& x,
                               const std::vector<double>& mean,
                               const std::vector<double>& std,
                               std::string name) {
  const size_t rank = shape(x).size();
  Standardisation{mean, std}.check(shape(x).at(1));
  const std::string cast = append("cast", Op::Cast, {x}, CastAttributes{DType::F32});
  const std::string centred =
      with_constant(Op::Sub, unused_name("sub"), cast, channel_values(mean, rank));
  return with_constant(Op::Div,
                       name.empty() ? unused_name("div") : std::move(name),
                       centred,
                       channel_values(std, rank));
}

std::string Builder::conv(const std::string& x,
                          int64_t out_channels,
                          const ConvAttributes& attributes,
                          bool bias) {
  Node node{unused_name("conv"), Op::Conv, {x}, attributes, DType::F32, {}};
  require_positive(node, "out_channels", out_channels);
  require_positive(node, "groups", attributes.groups);
  node.inputs.push_back(node.name + ".weight");
  model_.weights[node.inputs[1]] = Tensor(DType::F32,
                                          {out_channels,
                                           shape(x).at(1) / attributes.groups,
                                           attributes.kernel.at(0),
                                           attributes.kernel.at(1)});
  if (bias) {
    node.inputs.push_back(node.name + ".bias");
    model_.weights[node.inputs[2]] = Tensor(DType::F32, {out_channels});
  }
  return append(std::move(node));
}

std::string Builder::gemm(const std::string& x, int64_t out_features, bool bias, std::string name) {
  if (name.empty()) {
    name = unused_name("gemm");
  }
  Node node{std::move(name), Op::Gemm, {x}, NoAttributes{}, DType::F32, {}};
  require_positive(node, "out_features", out_features);
  node.inputs.push_back(node.name + ".weight");
  model_.weights[node.inputs[1]] = Tensor(DType::F32, {out_features, shape(x).at(1)});
  if (bias) {
    node.inputs.push_back(node.name + ".bias");
    model_.weights[node.inputs[2]] = Tensor(DType::F32, {out_features});
  }
  return append(std::move(node));
}

std::string Builder::batch_norm(const std::string& x, double scale) {
  Node node{unused_name("bn"), Op::BatchNorm, {x}, BatchNormAttributes{}, DType::F32, {}};
  const Shape channels{shape(x).at(1)};
  for (const auto& [part, value] : {std::pair{"scale", static_cast<float>(scale)},
                                    {"bias", 0.F},
                                    {"mean", 0.F},
                                    {"variance", 1.F}}) {
    node.inputs.push_back(fmt::format("{}.{}", node.name, part));
    model_.weights[node.inputs.back()] = filled(channels, value);
  }
  return append(std::move(node));
}

std::string Builder::relu(const std::string& x) {
  return unary(Op::Relu, x);
}

std::string Builder::unary(Op op, const std::string& x) {
  std::string stem;
  for (const char c : to_string(op)) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && !stem.empty()) {
      stem += '_';
    }
    stem += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return append(stem.c_str(), op, {x}, default_attributes(op));
}

std::string Builder::leaky_relu(const std::string& x, double slope) {
  return append("leaky_relu", Op::LeakyRelu, {x}, LeakyReluAttributes{static_cast<float>(slope)});
}

std::string Builder::clip(const std::string& x, double low, double high) {
  const ClipAttributes attributes{static_cast<float>(low), static_cast<float>(high)};
  return append("clip", Op::Clip, {x}, attributes);
}

std::string Builder::silu(std::string x) {
  return multiply(x, unary(Op::Sigmoid, x));
}

std::string Builder::gelu(std::string x) {
  const std::string scaled =
      with_constant(Op::Div, unused_name("div"), x, filled({}, static_cast<float>(std::sqrt(2.0))));
  const std::string gate =
      with_constant(Op::Add, unused_name("add"), unary(Op::Erf, scaled), filled({}, 1));
  return with_constant(Op::Mul, unused_name("mul"), multiply(x, gate), filled({}, 0.5F));
}

std::string Builder::max_pool(const std::string& x, const PoolAttributes& attributes) {
  return append("max_pool", Op::MaxPool, {x}, attributes);
}

std::string Builder::average_pool(const std::string& x, const PoolAttributes& attributes) {
  return append("average_pool", Op::AveragePool, {x}, attributes);
}

std::string Builder::global_average_pool(const std::string& x) {
  return append("global_pool", Op::GlobalAveragePool, {x}, NoAttributes{});
}

std::string Builder::flatten(const std::string& x) {
  return unary(Op::Flatten, x);
}

std::string Builder::resize(const std::string& x, const Shape& scale) {
  return append("resize", Op::Resize, {x}, ResizeAttributes{scale});
}

std::string Builder::reshape(const std::string& x, const Shape& sample, std::string name) {
  Node node{name.empty() ? unused_name("reshape") : std::move(name),
            Op::Reshape,
            {x},
            ReshapeAttributes{sample},
            DType::F32,
            {}};
  return append(std::move(node));
}

std::string Builder::slice(const std::string& x, const SliceAttributes& attributes) {
  return append("slice", Op::Slice, {x}, attributes);
}

std::string Builder::dropout(const std::string& x, double rate, DropoutGrain grain) {
  return append("dropout", Op::Dropout, {x}, DropoutAttributes{static_cast<float>(rate), grain});
}

std::string Builder::add(const std::string& a, const std::string& b) {
  return append("add", Op::Add, {a, b}, NoAttributes{});
}

std::string Builder::multiply(const std::string& a, const std::string& b) {
  return append("mul", Op::Mul, {a, b}, NoAttributes{});
}

std::string Builder::concat(const std::vector<std::string>& parts, int64_t axis) {
  return append("concat", Op::Concat, parts, AxisAttributes{axis});
}

std::string Builder::rename_last(const std::string& name) {
  Node& node = model_.graph.nodes.back();
  if (name == node.name) {
    return name;
  }
  if (model_.graph.find(name) != nullptr || model_.is_weight(name)) {
    fail(node, "cannot be named '{}': that name is taken", name);
  }
  const std::string prefix = node.name + ".";
  for (std::string& input : node.inputs) {
    if (input.starts_with(prefix) && model_.is_weight(input)) {
      const std::string renamed = name + "." + input.substr(prefix.size());
      auto weight = model_.weights.extract(input);
      weight.key() = renamed;
      model_.weights.insert(std::move(weight));
      input = renamed;
    }
  }
  node.name = name;
  return name;
}

const Shape& Builder::shape(const std::string& name) const {
  return model_.graph.at(name).shape;
}

const std::string& Builder::last() const {
  return model_.graph.nodes.back().name;
}

Model Builder::build(std::vector<std::string> outputs) {
  model_.graph.outputs = std::move(outputs);
  verify(model_);
  initialise_weights();
  return std::move(model_);
}

std::string Builder::unused_name(const std::string& stem) {
  std::string name;
  do {
    name = fmt::format("{}{}", stem, ++counters_[stem]);
  } while (model_.graph.find(name) != nullptr);
  return name;
}

std::string Builder::append(const char* stem,
                            Op op,
                            std::vector<std::string> inputs,
                            Attributes attributes) {
  return append({unused_name(stem), op, std::move(inputs), std::move(attributes), DType::F32, {}});
}

std::string Builder::with_constant(Op op, std::string name, const std::string& x, Tensor value) {
  Node node{std::move(name), op, {x}, NoAttributes{}, DType::F32, {}};
  node.inputs.push_back(node.name + ".value");
  model_.weights[node.inputs[1]] = std::move(value);
  return append(std::move(node));
}

/// Infers the shape at once, so that a layer that does not fit is reported where it is added.
std::string Builder::append(Node node) {
  Scope scope(model_.weights);
  for (const Node& before : model_.graph.nodes) {
    scope.define(before);
  }
  ValueType type = infer_node(node, scope.operands(node));
  node.dtype = type.dtype;
  node.shape = std::move(type.shape);
  scope.define(node);
  model_.graph.nodes.push_back(std::move(node));
  return model_.graph.nodes.back().name;
}

void Builder::initialise_weights() {
  for (const Node& node : model_.graph.nodes) {
    if (node.op == Op::Conv || node.op == Op::Gemm) {
      const double gain = next_gain(model_.graph, node.name);
      Tensor& weight = model_.weights.at(node.inputs[1]);
      core::Rng rng = rng_.split(node.name);
      fill_normal(weight, std::sqrt(gain / fan_in(weight)), rng);
    }
  }
}

}  // namespace coppice::graph
