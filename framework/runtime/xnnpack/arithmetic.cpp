#include <array>

#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

using CreateBinary = xnn_status (*)(float, float, uint32_t, xnn_operator_t*);
using SetUpBinary = xnn_status (*)(xnn_operator_t,
                                   size_t,
                                   const size_t*,
                                   size_t,
                                   const size_t*,
                                   const float*,
                                   const float*,
                                   float*,
                                   pthreadpool_t);

struct Binary {
  Op op;
  CreateBinary create;
  SetUpBinary setup;
};

constexpr std::array kBinaries{
    Binary{Op::Add, &xnn_create_add_nd_f32, &xnn_setup_add_nd_f32},
    Binary{Op::Sub, &xnn_create_subtract_nd_f32, &xnn_setup_subtract_nd_f32},
    Binary{Op::Mul, &xnn_create_multiply_nd_f32, &xnn_setup_multiply_nd_f32},
    Binary{Op::Div, &xnn_create_divide_nd_f32, &xnn_setup_divide_nd_f32}};

const Binary* binary_of(Op op) {
  for (const Binary& binary : kBinaries) {
    if (binary.op == op) {
      return &binary;
    }
  }
  return nullptr;
}

/// An activation by its buffer, or a constant.
struct Operand {
  size_t buffer = 0;
  Tensor constant;
  std::vector<size_t> dims;

  bool is_constant() const { return !constant.empty(); }

  const float* values(const Memory& memory) const {
    return is_constant() ? constant.data<float>().data() : memory.at<float>(buffer);
  }
};

std::vector<size_t> dims_of(const Shape& shape) {
  std::vector<size_t> dims;
  for (const int64_t dimension : shape) {
    dims.push_back(static_cast<size_t>(dimension));  // the batch follows at set-up
  }
  return dims;
}

Operand operand(Builder& builder, const std::string& name, size_t rank) {
  if (!builder.index().is_constant(name)) {
    return {builder.native(name), {}, dims_of(native_shape(builder.node(name).shape))};
  }
  Operand result{0, native_constant(builder.index().constant(name), rank), {}};
  result.dims = dims_of(result.constant.shape());
  return result;
}

bool takes_operand(ModelIndex& index, const Node& node, const std::string& name) {
  if (index.is_constant(name)) {
    const Tensor& constant = index.constant(name);
    return constant.dtype() == graph::DType::F32 && !constant.empty() &&
           constant.shape().size() <= node.shape.size();
  }
  return is_float_activation(index, name) && index.node(name)->shape.size() == node.shape.size();
}

}  // namespace

/// Add | Sub | Mul | Div → [Relu], broadcasting.
std::optional<Stage> match_arithmetic(ModelIndex& index, const Node& last) {
  float low = -kInfinity;
  const Node* node = &last;
  if (node->op == Op::Relu) {
    low = 0;
    node = index.private_node(node->inputs[0]);
  }
  const Binary* binary = node == nullptr ? nullptr : binary_of(node->op);
  if (binary == nullptr || node->shape.size() > XNN_MAX_TENSOR_DIMS ||
      !takes_operand(index, *node, node->inputs[0]) ||
      !takes_operand(index, *node, node->inputs[1])) {
    return std::nullopt;
  }
  Stage stage{&last, {}, {}};
  for (const std::string& name : node->inputs) {
    if (!index.is_constant(name)) {
      stage.inputs.push_back(name);
    }
  }
  stage.build = [=, &last](Builder& builder) {
    Operator made = create(binary->create, low, kInfinity, kNoFlags);
    if (!made) {
      return false;
    }
    const Operand a = operand(builder, node->inputs[0], last.shape.size());
    const Operand b = operand(builder, node->inputs[1], last.shape.size());
    const size_t y = builder.new_buffer(last);
    builder.add_operator(std::string(graph::to_string(binary->op)) + " f32",
                         std::move(made),
                         [left = a, right = b, y, binary, memory = builder.memory()](
                             xnn_operator_t op, size_t batch, pthreadpool_t threads) mutable {
                           for (Operand* side : {&left, &right}) {
                             if (!side->is_constant()) {
                               side->dims[0] = batch;
                             }
                           }
                           return binary->setup(op,
                                                left.dims.size(),
                                                left.dims.data(),
                                                right.dims.size(),
                                                right.dims.data(),
                                                left.values(*memory),
                                                right.values(*memory),
                                                memory->at<float>(y),
                                                threads);
                         },
                         {a.is_constant() ? y : a.buffer, b.is_constant() ? y : b.buffer, y});
    builder.define(last, Form::Native, y);
    return true;
  };
  return stage;
}

}  // namespace coppice::runtime::xnnpack
