#include <algorithm>
#include <bit>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.h"
#include "graph/graph.h"

namespace coppice::graph {

namespace {

/// Fields with their length before them, so that no two sequences of fields make the same bytes.
class Digest {
 public:
  void add(std::string_view text) {
    sha_.update(fmt::format("{}:", text.size()));
    sha_.update(text);
  }

  void add(const std::vector<std::string>& texts) {
    add(fmt::format("{}", texts.size()));
    for (const std::string& text : texts) {
      add(text);
    }
  }

  void add(const Tensor& tensor) {
    add(to_string(tensor.dtype()));
    add(to_string(tensor.shape()));
    sha_.update(std::span(tensor.bytes(), static_cast<size_t>(tensor.bytes_size())));
  }

  std::string finish() { return sha_.finish(); }

 private:
  core::Sha256 sha_;
};

struct AttributesText {
  std::string operator()(const NoAttributes&) const { return ""; }

  std::string operator()(const InputAttributes& a) const {
    return fmt::format("{} {}", to_string(a.dtype), to_string(a.shape));
  }

  std::string operator()(const CastAttributes& a) const { return std::string(to_string(a.to)); }

  std::string operator()(const ConvAttributes& a) const {
    return fmt::format("{} {} {} {} {}",
                       to_string(a.kernel),
                       to_string(a.stride),
                       to_string(a.pads),
                       to_string(a.dilation),
                       a.groups);
  }

  std::string operator()(const BatchNormAttributes& a) const { return bits(a.epsilon); }

  std::string operator()(const PoolAttributes& a) const {
    return fmt::format("{} {} {}", to_string(a.kernel), to_string(a.stride), to_string(a.pads));
  }

  std::string operator()(const AxisAttributes& a) const { return fmt::format("{}", a.axis); }

  std::string operator()(const DropoutAttributes& a) const {
    const std::string rate = bits(a.rate);
    return a.grain == DropoutGrain::Value ? rate
                                          : fmt::format("{} {}", rate, static_cast<int>(a.grain));
  }

  std::string operator()(const LeakyReluAttributes& a) const { return bits(a.slope); }

  std::string operator()(const ClipAttributes& a) const {
    return fmt::format("{} {}", bits(a.low), bits(a.high));
  }

  /// As before there were modes where there is none, so that older models keep their hash.
  std::string operator()(const ResizeAttributes& a) const {
    return a.mode == ResizeMode::Nearest && a.size.empty()
               ? to_string(a.scale)
               : fmt::format("{} {} {}",
                             to_string(a.size.empty() ? a.scale : a.size),
                             a.size.empty() ? "times" : "size",
                             static_cast<int>(a.mode));
  }

  std::string operator()(const ReshapeAttributes& a) const { return to_string(a.sample); }

  std::string operator()(const SliceAttributes& a) const {
    const std::string range = fmt::format("{} {} {}", a.axis, a.start, a.end);
    return a.step == 1 ? range : fmt::format("{} {}", range, a.step);
  }

  std::string operator()(const ConvTransposeAttributes& a) const {
    return fmt::format("{} {} {} {} {} {}",
                       to_string(a.kernel),
                       to_string(a.stride),
                       to_string(a.pads),
                       to_string(a.dilation),
                       to_string(a.output_padding),
                       a.groups);
  }

  std::string operator()(const TransposeAttributes& a) const { return to_string(a.order); }

  std::string operator()(const PadAttributes& a) const {
    return fmt::format("{} {} {}", to_string(a.pads), static_cast<int>(a.mode), bits(a.value));
  }

  std::string operator()(const ReduceAttributes& a) const { return to_string(a.axes); }

  std::string operator()(const LayerNormAttributes& a) const {
    return fmt::format("{} {}", a.axis, bits(a.epsilon));
  }

  std::string operator()(const RecurrentAttributes& a) const {
    return a.reverse ? "reverse" : "forward";
  }

  static std::string bits(float value) {
    return fmt::format("{:08x}", std::bit_cast<uint32_t>(value));
  }
};

}  // namespace

std::string content_hash(const Model& model) {
  std::vector<const Node*> nodes;
  std::vector<std::string> inputs;
  std::set<std::string_view> used;
  for (const Node& node : model.graph.nodes) {
    nodes.push_back(&node);
    used.insert(node.inputs.begin(), node.inputs.end());
    if (node.op == Op::Input) {
      inputs.push_back(node.name);
    }
  }
  std::sort(
      nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->name < b->name; });

  Digest digest;
  digest.add("coppice model 1");
  digest.add(fmt::format("{}", nodes.size()));
  for (const Node* node : nodes) {
    digest.add(node->name);
    digest.add(to_string(node->op));
    digest.add(node->inputs);
    digest.add(std::visit(AttributesText{}, node->attributes));
  }
  digest.add(inputs);
  digest.add(model.graph.outputs);
  for (const auto& [name, tensor] : model.weights) {
    if (used.contains(name)) {
      digest.add(name);
      digest.add(tensor);
    }
  }
  digest.add("classes");
  digest.add(model.metadata.class_names);
  return digest.finish();
}

}  // namespace coppice::graph
