#include "graph/builder.h"

#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/initialise.h"
#include "graph/shapes/rules.h"

namespace coppice::graph {

namespace {

Tensor filled(const Shape& shape, float value) {
  Tensor tensor(DType::F32, shape);
  for (float& element : tensor.data<float>()) {
    element = value;
  }
  return tensor;
}

/// One value, or one per channel, in a shape that broadcasts over [batch, channels, …].
Tensor per_channel(const std::vector<double>& values, size_t rank) {
  Shape shape{std::ssize(values)};
  if (values.size() > 1) {
    shape.resize(rank - 1, 1);
  }
  const std::vector<float> floats(values.begin(), values.end());
  return Tensor::from<float>(shape, floats);
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
                               const std::vector<double>& std) {
  const Shape& in = shape(x);
  const auto channels = static_cast<size_t>(in.at(1));
  for (const auto* values : {&mean, &std}) {
    if (values->size() != 1 && values->size() != channels) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("normalise: {} values for {} channels; give one, or one each",
                                    values->size(),
                                    channels));
    }
  }
  for (const double value : std) {
    if (!(value > 0) || !std::isfinite(value)) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("normalise: std {} must be positive", value));
    }
  }
  const size_t rank = in.size();
  const std::string cast =
      append({unused_name("cast"), Op::Cast, {x}, CastAttributes{DType::F32}, DType::F32, {}});
  const auto binary = [&](Op op, const char* stem, const std::string& a, Tensor value) {
    Node node{unused_name(stem), op, {a}, NoAttributes{}, DType::F32, {}};
    node.inputs.push_back(node.name + ".value");
    model_.weights[node.inputs[1]] = std::move(value);
    return append(std::move(node));
  };
  const std::string centred = binary(Op::Sub, "sub", cast, per_channel(mean, rank));
  return binary(Op::Div, "div", centred, per_channel(std, rank));
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

std::string Builder::batch_norm(const std::string& x) {
  Node node{unused_name("bn"), Op::BatchNorm, {x}, BatchNormAttributes{}, DType::F32, {}};
  const Shape channels{shape(x).at(1)};
  for (const auto& [part, value] :
       {std::pair{"scale", 1.F}, {"bias", 0.F}, {"mean", 0.F}, {"variance", 1.F}}) {
    node.inputs.push_back(fmt::format("{}.{}", node.name, part));
    model_.weights[node.inputs.back()] = filled(channels, value);
  }
  return append(std::move(node));
}

std::string Builder::relu(const std::string& x) {
  return append({unused_name("relu"), Op::Relu, {x}, NoAttributes{}, DType::F32, {}});
}

std::string Builder::max_pool(const std::string& x, const PoolAttributes& attributes) {
  return append({unused_name("max_pool"), Op::MaxPool, {x}, attributes, DType::F32, {}});
}

std::string Builder::global_average_pool(const std::string& x) {
  return append(
      {unused_name("global_pool"), Op::GlobalAveragePool, {x}, NoAttributes{}, DType::F32, {}});
}

std::string Builder::flatten(const std::string& x) {
  return append({unused_name("flatten"), Op::Flatten, {x}, NoAttributes{}, DType::F32, {}});
}

std::string Builder::dropout(const std::string& x, double rate) {
  const DropoutAttributes attributes{static_cast<float>(rate)};
  return append({unused_name("dropout"), Op::Dropout, {x}, attributes, DType::F32, {}});
}

std::string Builder::add(const std::string& a, const std::string& b) {
  return append({unused_name("add"), Op::Add, {a, b}, NoAttributes{}, DType::F32, {}});
}

const Shape& Builder::shape(const std::string& name) const {
  return model_.graph.at(name).shape;
}

Model Builder::build(std::vector<std::string> outputs) {
  model_.graph.outputs = std::move(outputs);
  verify(model_);
  initialise_weights();
  return std::move(model_);
}

std::string Builder::unused_name(const std::string& stem) {
  return fmt::format("{}{}", stem, ++counters_[stem]);
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
      const double gain = followed_by_relu(model_.graph, node.name) ? 2 : 1;
      Tensor& weight = model_.weights.at(node.inputs[1]);
      core::Rng rng = rng_.split(node.name);
      fill_normal(weight, std::sqrt(gain / fan_in(weight)), rng);
    }
  }
}

}  // namespace coppice::graph
