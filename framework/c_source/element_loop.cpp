#include "c_source/element_loop.h"

#include <algorithm>

#include "c_source/match.h"
#include "graph/elementwise.h"
#include "runtime/quantised.h"

namespace coppice::c_source {

namespace {

using graph::Node;
using graph::Op;

class Collector {
 public:
  explicit Collector(runtime::ModelIndex& index) : index_(index) {}

  ElementLoop collect(const Node& last) {
    add(last);
    return std::move(loop_);
  }

 private:
  /// Adds a node behind what it reads; gives its place.
  size_t add(const Node& node) {
    std::vector<Operand> operands;
    for (const std::string& name : node.inputs) {
      operands.push_back(operand(node, name));
    }
    loop_.nodes.push_back({&node, std::move(operands)});
    return loop_.nodes.size() - 1;
  }

  Operand operand(const Node& reader, const std::string& name) {
    if (index_.is_constant(name)) {
      return {Operand::From::Constant, 0, index_.constant(name)};
    }
    const Node& node = *index_.node(name);
    if (joins(node, reader)) {
      const auto known = std::find_if(loop_.nodes.begin(), loop_.nodes.end(), [&](const auto& one) {
        return one.node == &node;
      });
      return {Operand::From::Node,
              known == loop_.nodes.end() ? add(node)
                                         : static_cast<size_t>(known - loop_.nodes.begin())};
    }
    const auto known = std::find(loop_.sources.begin(), loop_.sources.end(), name);
    const auto place = static_cast<size_t>(known - loop_.sources.begin());
    if (known == loop_.sources.end()) {
      loop_.sources.push_back(name);
    }
    return {Operand::From::Source, place};
  }

  bool joins(const Node& node, const Node& reader) {
    if (!is_elementwise(node.op) || node.shape != reader.shape) {
      return false;
    }
    if (node.op == Op::DequantizeLinear) {
      return true;
    }
    return index_.private_node(node.name) != nullptr &&
           !runtime::match_quantised_layer(index_, node) && !match_float_layer(index_, node);
  }

  runtime::ModelIndex& index_;
  ElementLoop loop_;
};

}  // namespace

bool is_elementwise(Op op) {
  switch (op) {
    case Op::Cast:
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::BatchNorm:
    case Op::PRelu:
    case Op::QuantizeLinear:
    case Op::DequantizeLinear:
      return true;
    default:
      return graph::is_unary_elementwise(op);
  }
}

ElementLoop collect_element_loop(runtime::ModelIndex& index, const Node& last) {
  return Collector(index).collect(last);
}

}  // namespace coppice::c_source
