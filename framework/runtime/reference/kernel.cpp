#include "runtime/reference/kernel.h"

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::runtime::reference {

using core::Error;
using core::ErrorKind;
using graph::Op;

#define COPPICE_DECLARE_KERNEL(name, onnx, least, most) \
  template <>                                           \
  void compute<Op::name>(const graph::Attributes&, Operands, const View&);
COPPICE_OPS(COPPICE_DECLARE_KERNEL)
#undef COPPICE_DECLARE_KERNEL

View view_of(const graph::Tensor& tensor) {
  return {tensor.dtype(), tensor.shape(), tensor.shared_bytes().get()};
}

Kernel kernel_for(Op op) {
  switch (op) {
#define COPPICE_KERNEL_CASE(name, onnx, least, most) \
  case Op::name:                                     \
    return &compute<Op::name>;
    COPPICE_OPS(COPPICE_KERNEL_CASE)
#undef COPPICE_KERNEL_CASE
  }
  COPPICE_CHECK(false, "an op outside the table");
  return nullptr;
}

void run_node(const graph::Node& node, Operands inputs, const View& output) {
  try {
    kernel_for(node.op)(node.attributes, inputs, output);
  } catch (const Error& error) {
    throw Error(
        error.kind(),
        fmt::format("node '{}' ({}): {}", node.name, graph::to_string(node.op), error.what()));
  }
}

void require_dtype(const View& view, graph::DType dtype) {
  if (view.dtype != dtype) {
    throw Error(ErrorKind::Unsupported,
                fmt::format("the kernel takes {} here, not {}",
                            graph::to_string(dtype),
                            graph::to_string(view.dtype)));
  }
}

}  // namespace coppice::runtime::reference
