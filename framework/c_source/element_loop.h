#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/model_index.h"

namespace coppice::c_source {

/// Where an element-wise node gets an operand.
struct Operand {
  enum class From {
    Node,      ///< another node of the loop
    Source,    ///< an activation in memory
    Constant,  ///< a weight
  };
  From from = From::Node;
  size_t index = 0;  ///< of the loop's nodes or sources
  graph::Tensor constant = {};
};

struct ElementNode {
  const graph::Node* node = nullptr;
  std::vector<Operand> operands;
};

/// Element-wise nodes that one loop computes, value by value, without memory between them.
struct ElementLoop {
  std::vector<ElementNode> nodes;    ///< in order; the last one is what the loop stores
  std::vector<std::string> sources;  ///< activations
};

bool is_elementwise(graph::Op op);

/// The loop that ends at `last`: with it the element-wise nodes of its shape before it that nobody
/// else reads, and any DequantizeLinear, which costs less to do again than the memory that holds
/// it. Layers with an activation of their own stay whole. REQUIRES: is_elementwise(last.op).
ElementLoop collect_element_loop(runtime::ModelIndex& index, const graph::Node& last);

}  // namespace coppice::c_source
