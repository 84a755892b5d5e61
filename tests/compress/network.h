#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "graph/graph.h"

namespace coppice::compress {

/// Hand-made graphs with chosen names: every method returns the name it was given. Weights are
/// random, BN among them.
class Network {
 public:
  Network(graph::DType dtype, graph::Shape sample_shape, uint64_t seed = 1) : rng_(seed) {
    sample_shape.insert(sample_shape.begin(), graph::kBatch);
    append("input", graph::Op::Input, {}, graph::InputAttributes{dtype, std::move(sample_shape)});
  }

  std::string append(const std::string& name,
                     graph::Op op,
                     std::vector<std::string> inputs,
                     graph::Attributes attributes = graph::NoAttributes{}) {
    graph::Node node;
    node.name = name;
    node.op = op;
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    model_.graph.nodes.push_back(std::move(node));
    graph::infer_shapes(model_);
    return name;
  }

  const std::string& weight(const std::string& name,
                            graph::Shape shape,
                            double spread,
                            double centre = 0) {
    graph::Tensor tensor(graph::DType::F32, std::move(shape));
    for (float& value : tensor.data<float>()) {
      value = static_cast<float>(centre + spread * rng_.normal());
    }
    model_.weights[name] = std::move(tensor);
    return model_.weights.find(name)->first;
  }

  /// Same padding for odd kernels.
  std::string conv(const std::string& name,
                   const std::string& x,
                   int64_t out,
                   int64_t kernel = 3,
                   int64_t groups = 1,
                   bool bias = true) {
    const int64_t in = channels(x) / groups;
    const int64_t pad = kernel / 2;
    std::vector<std::string> inputs{
        x,
        weight(name + ".weight",
               {out, in, kernel, kernel},
               std::sqrt(2.0 / static_cast<double>(in * kernel * kernel)))};
    if (bias) {
      inputs.push_back(weight(name + ".bias", {out}, 0.1));
    }
    return append(name,
                  graph::Op::Conv,
                  std::move(inputs),
                  graph::ConvAttributes{
                      .kernel = {kernel, kernel}, .pads = {pad, pad, pad, pad}, .groups = groups});
  }

  std::string gemm(const std::string& name, const std::string& x, int64_t out) {
    const int64_t in = channels(x);
    return append(name,
                  graph::Op::Gemm,
                  {x,
                   weight(name + ".weight", {out, in}, std::sqrt(2.0 / static_cast<double>(in))),
                   weight(name + ".bias", {out}, 0.1)});
  }

  std::string batch_norm(const std::string& name, const std::string& x) {
    const graph::Shape shape{channels(x)};
    std::vector<std::string> inputs{x,
                                    weight(name + ".scale", shape, 0.2, 1),
                                    weight(name + ".bias", shape, 0.2),
                                    weight(name + ".mean", shape, 0.2),
                                    weight(name + ".variance", shape, 0.05, 1)};
    return append(name, graph::Op::BatchNorm, std::move(inputs), graph::BatchNormAttributes{});
  }

  std::string relu(const std::string& name, const std::string& x) {
    return append(name, graph::Op::Relu, {x});
  }

  std::string max_pool(const std::string& name, const std::string& x) {
    return append(name, graph::Op::MaxPool, {x}, graph::PoolAttributes{});
  }

  std::string global_pool(const std::string& name, const std::string& x) {
    return append(name, graph::Op::GlobalAveragePool, {x});
  }

  std::string flatten(const std::string& name, const std::string& x) {
    return append(name, graph::Op::Flatten, {x});
  }

  std::string add(const std::string& name, const std::string& a, const std::string& b) {
    return append(name, graph::Op::Add, {a, b});
  }

  std::string concat(const std::string& name, std::vector<std::string> inputs) {
    return append(name, graph::Op::Concat, std::move(inputs), graph::AxisAttributes{.axis = 1});
  }

  /// Cast, (x - mean) / std per channel, as the zoo does it.
  std::string normalise(const std::string& x, double mean, double std) {
    const graph::Shape shape{channels(x), 1, 1};
    append("cast", graph::Op::Cast, {x}, graph::CastAttributes{graph::DType::F32});
    append("centred", graph::Op::Sub, {"cast", weight("mean", shape, 0, mean)});
    return append("normalised", graph::Op::Div, {"centred", weight("std", shape, 0, std)});
  }

  graph::Model build(std::vector<std::string> outputs) {
    model_.graph.outputs = std::move(outputs);
    graph::verify(model_);
    return model_;
  }

 private:
  int64_t channels(const std::string& x) const { return model_.graph.at(x).shape.at(1); }

  graph::Model model_;
  core::Rng rng_;
};

/// One of each way in which channels travel. All take f32 images.
inline graph::Model make_mlp() {
  Network net(graph::DType::F32, {5});
  std::string x = net.relu("relu1", net.gemm("fc1", "input", 8));
  x = net.relu("relu2", net.gemm("fc2", x, 12));
  return net.build({net.gemm("logits", x, 3)});
}

inline graph::Model make_cnn() {
  Network net(graph::DType::F32, {3, 8, 8});
  std::string x =
      net.relu("relu1", net.batch_norm("bn1", net.conv("conv1", "input", 8, 3, 1, false)));
  x = net.relu("relu2", net.conv("conv2", net.max_pool("pool1", x), 12));
  x = net.flatten("flatten", net.max_pool("pool2", x));
  return net.build({net.gemm("logits", net.relu("relu3", net.gemm("fc", x, 16)), 4)});
}

inline graph::Model make_resnet() {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string stem = net.relu("relu0", net.batch_norm("bn0", net.conv("stem", "input", 8)));
  std::string y = net.relu("relu1", net.batch_norm("bn1", net.conv("conv1", stem, 10)));
  y = net.batch_norm("bn2", net.conv("conv2", y, 8));
  const std::string x = net.relu("relu2", net.add("add", y, stem));
  return net.build({net.gemm("logits", net.flatten("flatten", net.global_pool("gap", x)), 4)});
}

inline graph::Model make_concat() {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string a = net.relu("relu_a", net.conv("a", "input", 4));
  const std::string b = net.relu("relu_b", net.conv("b", "input", 6));
  const std::string x = net.relu("relu_c", net.conv("c", net.concat("concat", {a, b}), 8));
  return net.build({net.gemm("logits", net.flatten("flatten", net.global_pool("gap", x)), 4)});
}

inline graph::Model make_depthwise() {
  Network net(graph::DType::F32, {3, 8, 8});
  std::string x = net.relu("relu1", net.conv("conv1", "input", 8));
  x = net.relu("relu2", net.batch_norm("bn", net.conv("depthwise", x, 16, 3, 8)));  // multiplier 2
  x = net.relu("relu3", net.conv("pointwise", x, 12, 1));
  return net.build({net.gemm("logits", net.flatten("flatten", net.global_pool("gap", x)), 4)});
}

/// Channels pass through curves and moves of pixels; those that are picked by position stay.
inline graph::Model make_curves() {
  Network net(graph::DType::F32, {3, 8, 8});
  net.append(
      "leaky", graph::Op::LeakyRelu, {net.conv("conv1", "input", 8)}, graph::LeakyReluAttributes{});
  net.append("larger", graph::Op::Resize, {"leaky"}, graph::ResizeAttributes{});
  net.append("rows", graph::Op::Slice, {"larger"}, graph::SliceAttributes{2, 3, 6});
  const std::string x = net.conv("conv2", "rows", 10);
  net.append("gate", graph::Op::Sigmoid, {x});
  net.append("silu", graph::Op::Mul, {x, "gate"});
  net.append("erf", graph::Op::Erf, {net.conv("depthwise", "silu", 10, 3, 10, false)});
  net.append("swish", graph::Op::HardSwish, {"erf"});
  net.append("tanh", graph::Op::Tanh, {net.conv("conv3", "swish", 12)});
  net.append("relu6", graph::Op::Clip, {"tanh"}, graph::ClipAttributes{});
  net.append(
      "part", graph::Op::Slice, {net.conv("conv4", "relu6", 6)}, graph::SliceAttributes{1, 1, 5});
  net.append("flat", graph::Op::Reshape, {"part"}, graph::ReshapeAttributes{{8, 1, 24}});
  return net.build({net.gemm("logits", net.flatten("flatten", net.global_pool("gap", "flat")), 4)});
}

/// Channels pass through ConvTranspose, PRelu, Pad, a mean over time and a swap of other axes;
/// what attention and recurrent layers read stays.
inline graph::Model make_sequence() {
  Network net(graph::DType::F32, {3, 8, 8});
  net.append(
      "slope", graph::Op::PRelu, {net.conv("conv1", "input", 8), net.weight("s", {8, 1, 1}, 0.2)});
  net.append("up",
             graph::Op::ConvTranspose,
             {"slope", net.weight("up.weight", {8, 6, 2, 2}, 0.3), net.weight("up.bias", {6}, 0.1)},
             graph::ConvTransposeAttributes{.kernel = {2, 2}, .stride = {2, 2}});
  net.append("framed", graph::Op::Pad, {"up"}, graph::PadAttributes{{0, 0, 1, 0, 0, 0, 0, 2}});
  net.append("turned", graph::Op::Transpose, {"framed"}, graph::TransposeAttributes{{0, 1, 3, 2}});
  net.append("mean",
             graph::Op::ReduceMean,
             {net.conv("conv2", "turned", 10)},
             graph::ReduceAttributes{{2}});
  net.append("rows",
             graph::Op::Reshape,
             {net.conv("conv3", "mean", 4)},
             graph::ReshapeAttributes{{4, 17}});
  net.append("time", graph::Op::Transpose, {"rows"}, graph::TransposeAttributes{{0, 2, 1}});
  net.append("wide", graph::Op::MatMul, {"time", net.weight("wide.weight", {4, 5}, 0.4)});
  net.append("normal",
             graph::Op::LayerNorm,
             {"wide", net.weight("n.scale", {5}, 0.2, 1), net.weight("n.bias", {5}, 0.2)},
             graph::LayerNormAttributes{.axis = 2});
  net.append(
      "memory",
      graph::Op::Gru,
      {"normal", net.weight("g.weight", {1, 9, 5}, 0.4), net.weight("g.recurrent", {1, 9, 3}, 0.4)},
      graph::RecurrentAttributes{});
  return net.build({net.gemm("logits", net.flatten("flatten", "memory"), 4)});
}

/// Convolutions in 4 and 2 groups, one behind the other and around a residual add.
inline graph::Model make_grouped() {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string stem = net.relu("relu0", net.conv("stem", "input", 16));
  std::string y = net.relu("relu1", net.batch_norm("bn1", net.conv("by_four", stem, 24, 3, 4)));
  y = net.conv("by_two", y, 16, 3, 2);
  const std::string x = net.relu("relu2", net.add("add", y, stem));
  return net.build({net.gemm("logits", net.flatten("flatten", net.max_pool("pool", x)), 4)});
}

/// A gate from linear layers, which a Reshape makes [n, c, 1, 1] (Hu et al., CVPR 2018).
inline graph::Model make_squeeze_excitation() {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string x = net.relu("relu", net.conv("conv", "input", 12));
  const std::string pooled = net.flatten("pooled", net.global_pool("squeeze", x));
  net.append("gate",
             graph::Op::Sigmoid,
             {net.gemm("excite", net.relu("reduced", net.gemm("reduce", pooled, 5)), 12)});
  net.append("image", graph::Op::Reshape, {"gate"}, graph::ReshapeAttributes{{12, 1, 1}});
  net.append("scaled", graph::Op::Mul, {x, "image"});
  const std::string y = net.relu("relu2", net.conv("after", "scaled", 8));
  return net.build({net.gemm("logits", net.flatten("flatten", net.max_pool("pool", y)), 4)});
}

/// Features become an image, whose channels a linear layer makes 16 values each; transposed
/// convolutions in groups and depthwise enlarge it; PRelus with slopes of both kinds.
inline graph::Model make_decoder() {
  Network net(graph::DType::F32, {6});
  net.append("bent", graph::Op::PRelu, {net.gemm("fc", "input", 128), net.weight("s", {128}, 0.2)});
  net.append("image", graph::Op::Reshape, {"bent"}, graph::ReshapeAttributes{{8, 4, 4}});
  net.append(
      "up",
      graph::Op::ConvTranspose,
      {"image", net.weight("up.weight", {8, 6, 2, 2}, 0.3), net.weight("up.bias", {12}, 0.1)},
      graph::ConvTransposeAttributes{.kernel = {2, 2}, .stride = {2, 2}, .groups = 2});
  net.append("curved", graph::Op::PRelu, {"up", net.weight("t", {1}, 0.2)});
  net.append(
      "sharper",
      graph::Op::ConvTranspose,
      {"curved", net.weight("d.weight", {12, 1, 2, 2}, 0.5), net.weight("d.bias", {12}, 0.1)},
      graph::ConvTransposeAttributes{.kernel = {2, 2}, .stride = {2, 2}, .groups = 12});
  net.append("lines", graph::Op::Reshape, {"sharper"}, graph::ReshapeAttributes{{48, 8, 8}});
  const std::string x = net.conv("mix", "lines", 6);
  return net.build({net.gemm("logits", net.flatten("flatten", net.max_pool("pool", x)), 4)});
}

/// Branches of different kinds side by side, then flattened into a linear layer.
inline graph::Model make_inception() {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string x = net.relu("relu", net.conv("stem", "input", 8));
  const std::string a = net.conv("one", x, 4, 1);
  const std::string b = net.batch_norm("bn", net.conv("three", x, 6));
  const std::string c = net.conv("pointwise", net.conv("depthwise", x, 8, 3, 8), 5, 1);
  const std::string y = net.relu("relu2", net.concat("concat", {a, b, x, c}));
  return net.build({net.gemm("logits", net.flatten("flatten", net.max_pool("pool", y)), 4)});
}

}  // namespace coppice::compress
