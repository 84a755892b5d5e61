#include "graph/onnx/fold.h"

#include <map>

#include "graph/onnx/folds.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

namespace {

const std::map<std::string_view, Fold>& folds() {
  static const std::map<std::string_view, Fold> kFolds{
      {"Add", fold_arithmetic},
      {"Cast", fold_cast},
      {"Concat", fold_concat},
      {"Div", fold_arithmetic},
      {"Floor", fold_floor},
      {"Gather", fold_gather},
      {"Mul", fold_arithmetic},
      {"Pow", fold_arithmetic},
      {"QuantizeLinear", fold_quantize},
      {"Reshape", fold_reshape},
      {"Slice", fold_slice},
      {"Sqrt", fold_sqrt},
      {"Squeeze", fold_squeeze},
      {"Sub", fold_arithmetic},
      {"Transpose", fold_transpose},
      {"Unsqueeze", fold_unsqueeze},
  };
  return kFolds;
}

/// Of an activation or a constant; opset 15 allows a part.
void fold_shape(OnnxReader& reader, const onnx::NodeProto& node) {
  AttributeReader attributes(node);
  const Tensor* constant = reader.find_constant(node, 0);
  Shape shape = constant != nullptr ? constant->shape() : reader.shape(reader.view(node, 0));
  const Range part = range_within(std::ssize(shape),
                                  attributes.integer("start", 0),
                                  attributes.integer("end", std::ssize(shape)),
                                  1);
  attributes.finish();
  reader.add_constant(
      node.output(0),
      integers(part.start < part.end ? Shape(shape.begin() + part.start, shape.begin() + part.end)
                                     : Shape{}));
}

}  // namespace

bool fold_constant(OnnxReader& reader, const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  if (node.input_size() == 0 || node.output_size() != 1) {
    return false;
  }
  if (op == "Shape") {
    fold_shape(reader, node);
    return true;
  }
  if (op == "ConstantOfShape") {
    fold_constant_of_shape(reader, node);
    return true;
  }
  if (op == "Expand") {
    return fold_expand(reader, node);
  }
  const auto fold = folds().find(op);
  for (int i = 0; i < node.input_size(); ++i) {
    if (OnnxReader::has(node, i) && reader.find_constant(node, i) == nullptr) {
      return fold_filled(reader, node);
    }
  }
  if (fold == folds().end() || !OnnxReader::has(node, 0)) {
    return false;
  }
  AttributeReader attributes(node);
  Tensor result = fold->second(reader, node, attributes);
  attributes.finish();
  reader.add_constant(node.output(0), std::move(result));
  return true;
}

}  // namespace coppice::graph
