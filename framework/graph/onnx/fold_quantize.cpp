#include <algorithm>
#include <cmath>

#include "graph/onnx/folds.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

/// A weight that a file trained with quantisation keeps in f32: saturate(round(x / scale) + zero
/// point), ties to even.
Tensor fold_quantize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const Tensor& scale = reader.constant(node, 1);
  const Tensor zero = OnnxReader::has(node, 2)
                          ? reader.constant(node, 2)
                          : reader.budget().tensor(node, DType::U8, scale.shape());
  const bool is_signed = zero.dtype() == DType::I8;
  if (x.empty() || x.dtype() != DType::F32 || scale.dtype() != DType::F32 ||
      zero.size() != scale.size() || (!is_signed && zero.dtype() != DType::U8)) {
    corrupt_node(node, "takes f32, a scale and a zero point of i8 or u8");
  }
  const int64_t given = attributes.integer("axis", 1);
  int64_t inner = std::max<int64_t>(x.size(), 1);
  if (scale.size() != 1) {
    const auto axis = static_cast<size_t>(axis_of(node, given, x.shape()));
    if (x.dim(axis) != scale.size()) {
      corrupt_node(node, fmt::format("{} scales of {}", scale.size(), to_string(x.shape())));
    }
    inner = 1;
    for (size_t d = axis + 1; d < x.shape().size(); ++d) {
      inner *= x.dim(d);
    }
  }
  Tensor result = reader.budget().tensor(node, zero.dtype(), x.shape());
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto slot = static_cast<size_t>(i / inner % scale.size());
    const int shift = is_signed ? int{zero.data<int8_t>()[slot]} : int{zero.data<uint8_t>()[slot]};
    const float level =
        std::nearbyint(x.data<float>()[static_cast<size_t>(i)] / scale.data<float>()[slot]) +
        static_cast<float>(shift);
    const float kept = std::clamp(
        std::isnan(level) ? 0.F : level, is_signed ? -128.F : 0.F, is_signed ? 127.F : 255.F);
    result.bytes()[i] = static_cast<std::byte>(static_cast<int>(kept));
  }
  return result;
}

}  // namespace coppice::graph
