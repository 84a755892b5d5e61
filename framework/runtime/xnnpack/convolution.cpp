#include "runtime/xnnpack/convolution.h"

#include "runtime/xnnpack/native_operator.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

/// [out, channels, pixels] to [out, pixels, channels].
Tensor channels_last(const Tensor& weight, int64_t channels, int64_t pixels) {
  Tensor result(weight.dtype(), weight.shape());
  Conversion{weight.dtype(), channels, pixels, false}.run(
      weight.bytes(), result.bytes(), weight.dim(0));
  return result;
}

/// The image whose Flatten or Reshape to rows this is, or nullptr.
const Node* flattened_image(const ModelIndex& index, const std::string& name) {
  const Node* rows = index.node(name);
  if (rows == nullptr || rows->shape.size() != 2 ||
      (rows->op != Op::Flatten && rows->op != Op::Reshape)) {
    return nullptr;
  }
  const Node* image = index.node(rows->inputs[0]);
  return image != nullptr && is_transposed(image->shape) ? image : nullptr;
}

}  // namespace

Convolution convolution_of(const ModelIndex& index,
                           const Node& layer,
                           const std::string& input,
                           const Tensor& weight) {
  Convolution result;
  result.input = input;
  result.out_channels = weight.dim(0);
  if (layer.op == Op::Gemm) {
    result.in_channels = weight.dim(1);
    result.weight = weight;
    if (const Node* image = flattened_image(index, input)) {
      result.input = image->name;
      result.weight = channels_last(weight, image->shape[1], image->shape[2] * image->shape[3]);
    }
    return result;
  }
  const Shape& shape = index.node(input)->shape;
  result.attributes = layer.as<graph::ConvAttributes>();
  result.in_channels = shape[1];
  result.height = shape[2];
  result.width = shape[3];
  result.weight = channels_last(weight, weight.dim(1), weight.dim(2) * weight.dim(3));
  return result;
}

Operator make_convolution(const Convolution& convolution,
                          const float* bias,
                          float low,
                          float high) {
  return create_convolution(&xnn_create_convolution2d_nhwc_f32,
                            convolution.attributes,
                            convolution.in_channels,
                            convolution.out_channels,
                            convolution.weight.data<float>().data(),
                            bias,
                            low,
                            high,
                            kNoFlags);
}

}  // namespace coppice::runtime::xnnpack
