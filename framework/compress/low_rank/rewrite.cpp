#include "compress/low_rank/rewrite.h"

#include <algorithm>

#include "graph/passes/rewire.h"

namespace coppice::compress {

namespace {

/// Builds the parts of one layer in front of it.
class Chain {
 public:
  Chain(graph::Model& model, const std::string& node)
      : model_(model), node_(node), x_(model.graph.at(node).inputs[0]) {}

  /// A part that computes from the one before it.
  void add(const std::string& suffix,
           graph::Op op,
           graph::Attributes attributes,
           graph::Tensor weight) {
    graph::Node part;
    part.name = graph::free_name(model_, node_ + suffix);
    part.op = op;
    part.attributes = std::move(attributes);
    const std::string weight_name = graph::free_name(model_, part.name + ".weight");
    model_.weights[weight_name] = std::move(weight);
    part.inputs = {x_, weight_name};
    x_ = part.name;
    auto& nodes = model_.graph.nodes;
    nodes.insert(
        std::find_if(
            nodes.begin(), nodes.end(), [&](const graph::Node& n) { return n.name == node_; }),
        std::move(part));
  }

  /// The layer itself becomes the last part.
  void finish(graph::Attributes attributes, graph::Tensor weight) {
    graph::Node& node = *model_.graph.find(node_);
    node.inputs[0] = x_;
    node.attributes = std::move(attributes);
    model_.weights[node.inputs[1]] = std::move(weight);
    graph::infer_shapes(model_);
  }

 private:
  graph::Model& model_;
  std::string node_;
  std::string x_;
};

graph::Tensor point_weight(const Matrix& matrix) {
  return tensor_of(matrix, {matrix.rows(), matrix.cols(), 1, 1});
}

}  // namespace

void replace_by_svd(graph::Model& model, const std::string& node, const SvdFactors& factors) {
  const graph::Node layer = model.graph.at(node);
  Chain chain(model, node);
  const auto& [left, right] = factors;
  if (layer.op == graph::Op::Gemm) {
    chain.add("_in", layer.op, layer.attributes, tensor_of(right, {right.rows(), right.cols()}));
    chain.finish(layer.attributes, tensor_of(left, {left.rows(), left.cols()}));
    return;
  }
  // A point of the output reads one of the input, or of its padding: stride and pads go first.
  chain.add("_in", layer.op, layer.attributes, point_weight(right));
  chain.finish(graph::ConvAttributes{}, point_weight(left));
}

void replace_by_tucker(graph::Model& model, const std::string& node, const TuckerFactors& factors) {
  const graph::Node layer = model.graph.at(node);
  const Kernel& core = factors.core;
  Chain chain(model, node);
  chain.add("_in", layer.op, graph::ConvAttributes{}, point_weight(factors.in.transpose()));
  chain.add("_core",
            layer.op,
            layer.attributes,
            tensor_of(core.by_out, {core.out, core.in, core.height, core.width}));
  chain.finish(graph::ConvAttributes{}, point_weight(factors.out));
}

void replace_by_cp(graph::Model& model, const std::string& node, const CpFactors& factors) {
  const graph::Node layer = model.graph.at(node);
  const auto& whole = layer.as<graph::ConvAttributes>();
  const int64_t rank = factors.out.cols();
  const int64_t height = factors.vertical.rows();
  const int64_t width = factors.horizontal.rows();
  // A side of 1 has one factor for each component, which the first part takes.
  Matrix in = factors.in;
  if (height == 1) {
    in = in * factors.vertical.row(0).asDiagonal();
  }
  if (width == 1) {
    in = in * factors.horizontal.row(0).asDiagonal();
  }
  Chain chain(model, node);
  chain.add("_in", layer.op, graph::ConvAttributes{}, point_weight(in.transpose()));
  // The one part there is then moves along both sides.
  graph::ConvAttributes vertical = whole;
  graph::ConvAttributes horizontal = whole;
  vertical.groups = horizontal.groups = rank;
  if (height > 1 && width > 1) {
    vertical = {.kernel = {height, 1},
                .stride = {whole.stride[0], 1},
                .pads = {whole.pads[0], 0, whole.pads[2], 0},
                .dilation = {whole.dilation[0], 1},
                .groups = rank};
    horizontal = {.kernel = {1, width},
                  .stride = {1, whole.stride[1]},
                  .pads = {0, whole.pads[1], 0, whole.pads[3]},
                  .dilation = {1, whole.dilation[1]},
                  .groups = rank};
  }
  if (height > 1) {
    chain.add("_vertical",
              layer.op,
              vertical,
              tensor_of(factors.vertical.transpose(), {rank, 1, height, 1}));
  }
  if (width > 1) {
    chain.add("_horizontal",
              layer.op,
              horizontal,
              tensor_of(factors.horizontal.transpose(), {rank, 1, 1, width}));
  }
  chain.finish(graph::ConvAttributes{}, point_weight(factors.out));
}

}  // namespace coppice::compress
