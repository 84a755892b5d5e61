#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "runtime/onednn/match.h"

namespace coppice::runtime::onednn {

namespace {

using core::Error;
using core::ErrorKind;
using graph::DType;
using graph::Node;
using graph::Op;
using graph::Tensor;

bool all_zero(const Tensor& tensor) {
  const std::byte* begin = tensor.bytes();
  return std::all_of(
      begin, begin + tensor.bytes_size(), [](std::byte b) { return b == std::byte{}; });
}

void require_supported(const graph::Model& model, const Node& node) {
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::Unsupported,
                fmt::format("node '{}' ({}): {}; backend 'reference' runs it",
                            node.name,
                            graph::to_string(node.op),
                            why));
  };
  if (node.dtype == DType::I64) {
    refuse("onednn has no i64");
  }
  const bool has_zero_point = node.op == Op::QuantizeLinear || node.op == Op::DequantizeLinear;
  if (has_zero_point && !all_zero(model.weight(node.inputs[2]))) {
    refuse("onednn takes zero points of 0 only");
  }
}

Stage match(ModelIndex& index, const Node& node) {
  for (const auto pattern : {&match_quantised_product,
                             &match_lookup,
                             &match_byte_add,
                             &match_byte_average,
                             &match_quantise,
                             &match_product,
                             &match_matrix_product,
                             &match_curve,
                             &match_single_op}) {
    if (std::optional<Stage> stage = pattern(index, node)) {
      return *std::move(stage);
    }
  }
  COPPICE_CHECK(false, "match_single_op takes every node");
  return {};
}

}  // namespace

std::string_view name_of(const Work& work) {
  constexpr std::array<std::string_view, std::variant_size_v<Work>> kNames{
      "Product",  "Pool",       "ByteMaxPool",   "Rectify",       "Curve",
      "Enlarge",  "Arithmetic", "Deconvolution", "MatrixProduct", "LayerNorm",
      "Softmax",  "Transpose",  "Slope",         "Recurrent",     "Lookup",
      "Quantise", "ByteAdd",    "ByteAverage",   "Alias",         "Plain"};
  const auto* plain = std::get_if<Plain>(&work);
  return plain != nullptr ? graph::to_string(plain->node.op) : kNames[work.index()];
}

Stage stage_of(const Node& last, std::vector<std::string> inputs, Work work) {
  return {last.name, last.dtype, last.shape, std::move(inputs), std::move(work)};
}

/// From the outputs backwards: what a pattern absorbed is not asked for and gets no stage.
std::vector<Stage> lower(const graph::Model& model) {
  for (const Node& node : model.graph.nodes) {
    require_supported(model, node);
  }
  ModelIndex index(model);
  std::set<std::string> needed(model.graph.outputs.begin(), model.graph.outputs.end());
  std::vector<Stage> stages;
  for (size_t i = model.graph.nodes.size(); i-- > 0;) {
    const Node& node = model.graph.nodes[i];
    if (node.op != Op::Input && needed.contains(node.name)) {
      stages.push_back(match(index, node));
      needed.insert(stages.back().inputs.begin(), stages.back().inputs.end());
    }
  }
  std::reverse(stages.begin(), stages.end());
  return stages;
}

}  // namespace coppice::runtime::onednn
