#include <algorithm>

#include "graph/onnx/folds.h"
#include "graph/onnx/parameters.h"
#include "graph/onnx/tensor_proto.h"

namespace coppice::graph {

void fold_constant_of_shape(OnnxReader& reader, const onnx::NodeProto& node) {
  AttributeReader attributes(node);
  const auto* attribute = attributes.take("value");
  const Tensor value = attribute == nullptr ? Tensor(DType::F32, {1})
                                            : from_onnx_tensor(attribute->t(), node.output(0));
  attributes.finish();
  const Shape shape = integers_of(reader, node, 0);
  if (value.size() != 1) {
    corrupt_node(node, "must fill with one value");
  }
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0) {
      corrupt_node(node, fmt::format("shape {}", to_string(shape)));
    }
    count = size > 0 && count > kMostFoldedValues / size ? kMostFoldedValues + 1 : count * size;
  }
  const bool depends_on_batch =
      std::any_of(shape.begin(), shape.end(), [](int64_t d) { return d >= kSymbolicBatch; });
  if (value.dtype() == DType::F32 && (depends_on_batch || count > kMostFoldedValues)) {
    return reader.add_filled(node.output(0), value.data<float>()[0]);
  }
  reader.add_constant(node.output(0),
                      pick(reader, node, value, shape, [](Shape&) { return int64_t{0}; }));
}

/// Parts and other orders of a constant that is filled with one value are filled with it, too.
bool fold_filled(OnnxReader& reader, const onnx::NodeProto& node) {
  static constexpr std::string_view kMoves[] = {
      "Slice", "Gather", "Transpose", "Unsqueeze", "Squeeze", "Reshape", "Identity"};
  if (!reader.is_filled(node, 0) ||
      std::find(std::begin(kMoves), std::end(kMoves), node.op_type()) == std::end(kMoves)) {
    return false;
  }
  reader.add_filled(node.output(0), reader.filled(node, 0));
  return true;
}

/// First states are spread like this.
bool fold_expand(OnnxReader& reader, const onnx::NodeProto& node) {
  const Tensor* value = reader.find_constant(node, 0);
  if (value == nullptr || value->dtype() != DType::F32 || value->size() != 1) {
    return false;
  }
  reader.add_filled(node.output(0), value->data<float>()[0]);
  return true;
}

}  // namespace coppice::graph
