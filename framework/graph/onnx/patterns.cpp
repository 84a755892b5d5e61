#include "graph/onnx/patterns.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/onnx/tensor_proto.h"

namespace coppice::graph {

namespace {

using onnx::AttributeProto;
using onnx::NodeProto;

const AttributeProto* find_attribute(const NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) {
      return &attribute;
    }
  }
  return nullptr;
}

float real_attribute(const NodeProto& node, std::string_view name, float otherwise) {
  const AttributeProto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->f();
}

/// Two values in, one out.
bool is_binary(const NodeProto& node) {
  return node.input_size() == 2 && node.output_size() == 1;
}

/// What a pattern is, once found: its last node, and the parts that may go.
struct Match {
  NodeProto* last = nullptr;
  NodeProto replacement;
  std::vector<const NodeProto*> parts;
};

class Matcher {
 public:
  explicit Matcher(onnx::GraphProto& graph) : graph_(graph) {
    for (const auto& tensor : graph.initializer()) {
      constants_.emplace(tensor.name(), &tensor);
    }
    for (auto& node : *graph.mutable_node()) {
      for (const std::string& input : node.input()) {
        ++uses_[input];
        readers_[input].push_back(&node);
      }
      if (node.output_size() == 1) {
        makers_.emplace(node.output(0), &node);
      }
    }
    for (const auto& output : graph.output()) {
      ++uses_[output.name()];
    }
  }

  void run() {
    for (auto& node : *graph_.mutable_node()) {
      if (std::optional<Match> match = match_hard_swish(node)) {
        replace(*match);
      } else if (match = match_layer_norm(node); match) {
        replace(*match);
      }
    }
    drop_parts();
  }

 private:
  const NodeProto* maker(const std::string& name, std::string_view op) const {
    const auto it = makers_.find(name);
    return it != makers_.end() && it->second->op_type() == op ? it->second : nullptr;
  }

  /// A constant of one f32 value.
  std::optional<float> scalar(const std::string& name) const {
    const onnx::TensorProto* tensor = nullptr;
    if (const auto it = constants_.find(name); it != constants_.end()) {
      tensor = it->second;
    } else if (const NodeProto* node = maker(name, "Constant")) {
      const AttributeProto* value = find_attribute(*node, "value");
      if (value == nullptr) {
        return std::nullopt;
      }
      tensor = &value->t();
    }
    const auto is_one = [](int64_t dimension) {
      return dimension == 1;
    };
    if (tensor == nullptr || tensor->data_type() != onnx::TensorProto::FLOAT ||
        is_external(*tensor) ||
        !std::all_of(tensor->dims().begin(), tensor->dims().end(), is_one)) {
      return std::nullopt;
    }
    const Tensor value = from_onnx_tensor(*tensor, name);
    return value.data<float>()[0];
  }

  /// x HardSigmoid(x), of slope 1/6.
  std::optional<Match> match_hard_swish(NodeProto& node) const {
    if (node.op_type() != "Mul" || !is_binary(node)) {
      return std::nullopt;
    }
    for (const int side : {0, 1}) {
      const NodeProto* gate = maker(node.input(side), "HardSigmoid");
      const std::string& x = node.input(1 - side);
      if (gate != nullptr && gate->input_size() == 1 && gate->input(0) == x &&
          std::abs(real_attribute(*gate, "alpha", 0.2F) - 1.F / 6) < 1e-6F &&
          real_attribute(*gate, "beta", 0.5F) == 0.5F) {
        Match match{&node, {}, {gate}};
        match.replacement.set_op_type("HardSwish");
        match.replacement.add_input(x);
        return match;
      }
    }
    return std::nullopt;
  }

  /// x - mean(x); the mean is among `parts` then.
  bool is_centred(const NodeProto* node, std::vector<const NodeProto*>& parts) const {
    if (node == nullptr || !is_binary(*node)) {
      return false;
    }
    const NodeProto* mean = maker(node->input(1), "ReduceMean");
    if (mean == nullptr || mean->input_size() != 1 || mean->input(0) != node->input(0)) {
      return false;
    }
    parts.push_back(mean);
    return true;
  }

  /// (x - mean) / sqrt(mean((x - mean)^2) + epsilon) [* scale [+ bias]], from the division on.
  std::optional<Match> match_layer_norm(NodeProto& division) const {
    if (division.op_type() != "Div" || !is_binary(division)) {
      return std::nullopt;
    }
    Match match;
    const NodeProto* centred = maker(division.input(0), "Sub");
    const NodeProto* root = maker(division.input(1), "Sqrt");
    const NodeProto* sum =
        root == nullptr || root->input_size() != 1 ? nullptr : maker(root->input(0), "Add");
    if (!is_centred(centred, match.parts) || sum == nullptr || !is_binary(*sum)) {
      return std::nullopt;
    }
    const std::optional<float> epsilon = scalar(sum->input(1));
    const NodeProto* variance = maker(sum->input(0), "ReduceMean");
    const NodeProto* square = variance == nullptr || variance->input_size() != 1
                                  ? nullptr
                                  : maker_of_square(variance->input(0));
    if (!epsilon || square == nullptr) {
      return std::nullopt;
    }
    const NodeProto* squared = maker(square->input(0), "Sub");
    const AttributeProto* axes = find_attribute(*match.parts[0], "axes");
    const AttributeProto* same = find_attribute(*variance, "axes");
    if (!is_centred(squared, match.parts) || squared->input(0) != centred->input(0) ||
        axes == nullptr || same == nullptr ||
        axes->SerializeAsString() != same->SerializeAsString() || !keeps(*variance) ||
        !keeps(*match.parts[0])) {
      return std::nullopt;
    }
    match.parts.insert(match.parts.end(),
                       {centred, squared, square, variance, sum, root, &division});
    auto& norm = match.replacement;
    norm.set_op_type("LayerNormalization");
    norm.add_input(centred->input(0));
    *norm.add_attribute() = *axes;
    auto* attribute = norm.add_attribute();
    attribute->set_name("epsilon");
    attribute->set_type(AttributeProto::FLOAT);
    attribute->set_f(*epsilon);
    take_scale_and_bias(division, match);
    return match;
  }

  const NodeProto* maker_of_square(const std::string& name) const {
    if (const NodeProto* power = maker(name, "Pow")) {
      return is_binary(*power) && scalar(power->input(1)) == 2.F ? power : nullptr;
    }
    const NodeProto* product = maker(name, "Mul");
    return product != nullptr && is_binary(*product) && product->input(0) == product->input(1)
               ? product
               : nullptr;
  }

  static bool keeps(const NodeProto& mean) {
    const AttributeProto* attribute = find_attribute(mean, "keepdims");
    return attribute == nullptr || attribute->i() == 1;
  }

  /// The one node that reads a value, if it is this op of a constant of at least one dimension.
  NodeProto* only_reader(const std::string& name,
                         std::string_view op,
                         std::string& constant) const {
    const auto it = readers_.find(name);
    if (it == readers_.end() || it->second.size() != 1 || uses_.at(name) != 1 ||
        it->second[0]->op_type() != op || !is_binary(*it->second[0])) {
      return nullptr;
    }
    NodeProto* node = it->second[0];
    constant = node->input(0) == name ? node->input(1) : node->input(0);
    std::string stored = constant;
    if (const NodeProto* alias = maker(constant, "Identity");
        alias != nullptr && alias->input_size() == 1) {
      stored = alias->input(0);
    }
    const auto weight = constants_.find(stored);
    return weight != constants_.end() && weight->second->dims_size() > 0 ? node : nullptr;
  }

  void take_scale_and_bias(NodeProto& division, Match& match) const {
    match.last = &division;
    std::string scale;
    std::string bias;
    NodeProto* product = only_reader(division.output(0), "Mul", scale);
    if (product == nullptr) {
      return;
    }
    match.last = product;
    match.replacement.add_input(scale);
    match.parts.push_back(product);
    if (NodeProto* sum = only_reader(product->output(0), "Add", bias)) {
      match.last = sum;
      match.replacement.add_input(bias);
      match.parts.push_back(sum);
    }
  }

  void replace(Match& match) {
    std::erase(match.parts, match.last);
    parts_.insert(parts_.end(), match.parts.begin(), match.parts.end());
    for (const std::string& input : match.last->input()) {
      --uses_[input];
    }
    match.replacement.set_name(match.last->name());
    *match.replacement.mutable_output() = match.last->output();
    for (const std::string& input : match.replacement.input()) {
      ++uses_[input];
    }
    *match.last = match.replacement;
  }

  /// Parts that nobody reads any more, from the last to the first.
  void drop_parts() {
    std::set<const NodeProto*> dropped;
    for (bool changed = true; changed;) {
      changed = false;
      for (const NodeProto* part : parts_) {
        if (dropped.contains(part) || part->output_size() != 1 || uses_[part->output(0)] > 0) {
          continue;
        }
        dropped.insert(part);
        changed = true;
        for (const std::string& input : part->input()) {
          --uses_[input];
        }
      }
    }
    google::protobuf::RepeatedPtrField<NodeProto> kept;
    for (NodeProto& node : *graph_.mutable_node()) {
      if (!dropped.contains(&node)) {
        *kept.Add() = std::move(node);
      }
    }
    graph_.mutable_node()->Swap(&kept);
  }

  onnx::GraphProto& graph_;
  std::map<std::string, const onnx::TensorProto*> constants_;
  std::map<std::string, int> uses_;
  std::map<std::string, std::vector<NodeProto*>> readers_;
  std::map<std::string, NodeProto*> makers_;
  std::vector<const NodeProto*> parts_;
};

}  // namespace

void fuse_patterns(onnx::GraphProto& graph) {
  Matcher(graph).run();
}

}  // namespace coppice::graph
