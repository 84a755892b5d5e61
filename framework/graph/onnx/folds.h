#pragma once

#include <functional>

#include "graph/onnx/reader.h"

/// How constants are computed, by ONNX op; fold.cpp has the table.
namespace coppice::graph {

using Fold = Tensor (*)(OnnxReader&, const onnx::NodeProto&, AttributeReader&);

/// A tensor of this shape whose value i is value source(i) of `from`; `source` may change the index
/// that it gets. Throws Error{Unsupported} for one that grows too large.
Tensor pick(OnnxReader& reader,
            const onnx::NodeProto& node,
            const Tensor& from,
            Shape shape,
            const std::function<int64_t(Shape&)>& source);

/// Place of an index in row-major order.
int64_t flat(const Shape& index, const Shape& shape);

/// A list as a tensor.
Tensor integers(const Shape& values);

// Other shapes of the same values (fold_shapes.cpp).
Tensor fold_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_squeeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_unsqueeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

// Values moved (fold_moves.cpp).
Tensor fold_concat(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_gather(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_transpose(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

// New values (fold_values.cpp, fold_quantize.cpp).
Tensor fold_arithmetic(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&);
Tensor fold_cast(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_floor(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&);
Tensor fold_quantize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
Tensor fold_sqrt(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&);

// Constants of one value, which may be as long as the batch (fold_filled.cpp).
void fold_constant_of_shape(OnnxReader& reader, const onnx::NodeProto& node);
/// These two return false for a node that reads something else.
bool fold_expand(OnnxReader& reader, const onnx::NodeProto& node);
bool fold_filled(OnnxReader& reader, const onnx::NodeProto& node);

}  // namespace coppice::graph
