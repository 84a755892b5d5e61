#include <algorithm>
#include <cmath>

#include "graph/onnx/folds.h"
#include "graph/onnx/parameters.h"
#include "graph/onnx/tensor_proto.h"

namespace coppice::graph {

namespace {

template <class To, class From>
Tensor converted(OnnxReader& reader, const onnx::NodeProto& node, const Tensor& x) {
  constexpr DType kTo = std::is_same_v<To, float> ? DType::F32 : DType::I64;
  Tensor result = reader.budget().tensor(node, kTo, x.shape());
  const auto from = x.data<From>();
  const auto to = result.data<To>();
  for (size_t i = 0; i < from.size(); ++i) {
    if constexpr (std::is_same_v<To, int64_t> && std::is_same_v<From, float>) {
      constexpr float kMost = 4e18F;
      to[i] = std::isnan(from[i]) ? 0 : static_cast<int64_t>(std::clamp(from[i], -kMost, kMost));
    } else {
      to[i] = static_cast<To>(from[i]);
    }
  }
  return result;
}

int64_t calculate(const onnx::NodeProto& node, int64_t a, int64_t b) {
  const std::string& op = node.op_type();
  int64_t result = 0;
  bool fits = false;
  if (op == "Add") {
    fits = !__builtin_add_overflow(a, b, &result);
  } else if (op == "Sub") {
    fits = !__builtin_sub_overflow(a, b, &result);
  } else if (op == "Mul") {
    fits = !__builtin_mul_overflow(a, b, &result);
  } else if (b != 0 && b != -1) {
    result = a / b;
    fits = true;
  }
  if (!fits) {
    corrupt_node(node, fmt::format("of {} and {}", a, b));
  }
  return result;
}

float calculate(const onnx::NodeProto& node, float a, float b) {
  const std::string& op = node.op_type();
  return op == "Add"   ? a + b
         : op == "Sub" ? a - b
         : op == "Mul" ? a * b
         : op == "Div" ? a / b
                       : std::pow(a, b);
}

template <class T>
Tensor calculated(OnnxReader& reader,
                  const onnx::NodeProto& node,
                  const Tensor& a,
                  const Tensor& b) {
  Shape shape(std::max(a.shape().size(), b.shape().size()), 1);
  for (const Tensor* x : {&a, &b}) {
    for (size_t i = 1; i <= x->shape().size(); ++i) {
      const int64_t size = x->dim(x->shape().size() - i);
      int64_t& known = shape[shape.size() - i];
      if (known != 1 && size != 1 && known != size) {
        corrupt_node(node, fmt::format("{} and {}", to_string(a.shape()), to_string(b.shape())));
      }
      known = size == 1 ? known : size;
    }
  }
  const auto spread = [&](const Tensor& x) {
    return pick(reader, node, x, shape, [&](Shape& index) {
      index.erase(index.begin(), index.end() - std::ssize(x.shape()));
      for (size_t d = 0; d < index.size(); ++d) {
        index[d] = x.dim(d) == 1 ? 0 : index[d];
      }
      return flat(index, x.shape());
    });
  };
  Tensor result = spread(a);
  const Tensor right = spread(b);
  for (size_t i = 0; i < result.data<T>().size(); ++i) {
    result.data<T>()[i] = calculate(node, result.data<T>()[i], right.data<T>()[i]);
  }
  return result;
}

template <class F>
Tensor mapped(OnnxReader& reader, const onnx::NodeProto& node, F function) {
  const Tensor& x = reader.constant(node, 0);
  if (x.dtype() != DType::F32) {
    unsupported_node(node, "of a constant that is not f32");
  }
  Tensor result = reader.budget().tensor(node, DType::F32, x.shape());
  std::ranges::transform(x.data<float>(), result.data<float>().begin(), function);
  return result;
}

}  // namespace

/// To integers of 64 bits or f32; others keep their dtype only.
Tensor fold_cast(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const int64_t to = attributes.integer("to", 0);
  const bool known = std::in_range<int32_t>(to);
  const DType dtype = from_onnx_dtype(known ? static_cast<int32_t>(to) : 0, describe(node));
  if (dtype == x.dtype()) {
    return x;
  }
  if (dtype == DType::F32 && x.dtype() == DType::I64) {
    return converted<float, int64_t>(reader, node, x);
  }
  if (dtype == DType::F32 && x.dtype() == DType::I32) {
    return converted<float, int32_t>(reader, node, x);
  }
  if (dtype == DType::I64 && x.dtype() == DType::F32) {
    return converted<int64_t, float>(reader, node, x);
  }
  if (dtype == DType::I64 && x.dtype() == DType::I32) {
    return converted<int64_t, int32_t>(reader, node, x);
  }
  unsupported_node(node,
                   fmt::format("a constant {} to {}", to_string(x.dtype()), to_string(dtype)));
}

Tensor fold_arithmetic(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&) {
  const Tensor& a = reader.constant(node, 0);
  const Tensor& b = reader.constant(node, 1);
  const bool integers_fit = a.dtype() == DType::I64 && node.op_type() != "Pow";
  if (a.dtype() != b.dtype() || (a.dtype() != DType::F32 && !integers_fit)) {
    unsupported_node(node,
                     "of constants of these dtypes; supported: both f32, but for Pow both i64");
  }
  return a.dtype() == DType::F32 ? calculated<float>(reader, node, a, b)
                                 : calculated<int64_t>(reader, node, a, b);
}

Tensor fold_floor(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&) {
  return mapped(reader, node, [](float x) { return std::floor(x); });
}

Tensor fold_sqrt(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&) {
  return mapped(reader, node, [](float x) { return std::sqrt(x); });
}

}  // namespace coppice::graph
