#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "graph/graph.h"

namespace coppice::runtime::reference {

/// Dense row-major values of a known shape (the batch filled in); borrows the memory.
struct View {
  graph::DType dtype = graph::DType::F32;
  graph::Shape shape;
  std::byte* data = nullptr;

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }

  int64_t size() const {
    int64_t count = 1;
    for (const int64_t dimension : shape) {
      count *= dimension;
    }
    return count;
  }

  int64_t bytes() const { return size() * graph::size_bytes(dtype); }
};

/// The same memory; kernels read their inputs only.
View view_of(const graph::Tensor& tensor);

using Operands = std::span<const View* const>;

/// Computes one op plainly, with the semantics of ONNX opset 13. REQUIRES: shapes as
/// graph::infer_shapes leaves them. Throws Error{Unsupported} for a dtype that the kernel doesn't
/// take; allocates nothing otherwise.
using Kernel = void (*)(const graph::Attributes& attributes, Operands inputs, const View& output);

/// One specialisation per op of the table, each in the file of its family.
template <graph::Op op>
void compute(const graph::Attributes& attributes, Operands inputs, const View& output);

Kernel kernel_for(graph::Op op);

/// Runs the kernel of a node; an error names the node.
void run_node(const graph::Node& node, Operands inputs, const View& output);

/// Throws Error{Unsupported} for any other dtype.
void require_dtype(const View& view, graph::DType dtype);

}  // namespace coppice::runtime::reference
