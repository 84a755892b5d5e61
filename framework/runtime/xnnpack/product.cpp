#include "runtime/xnnpack/convolution.h"
#include "runtime/xnnpack/native_operator.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::Node;
using graph::Op;
using graph::Tensor;

/// [Relu | Clip] after a node.
struct Clamp {
  float low = -kInfinity;
  float high = kInfinity;
};

/// The node before a ReLU or Clip that nobody else reads, or `node` itself.
const Node* before_clamp(const ModelIndex& index, const Node* node, Clamp& clamp) {
  if (node->op == Op::Clip) {
    const auto& limits = node->as<graph::ClipAttributes>();
    clamp = {limits.low, limits.high};
  } else if (node->op == Op::Relu) {
    clamp.low = 0;
  } else {
    return node;
  }
  return index.private_node(node->inputs[0]);
}

/// Floats of a constant, or an empty tensor for no such operand.
Tensor constant_operand(ModelIndex& index, const Node& node, size_t operand) {
  return node.inputs.size() > operand ? index.constant(node.inputs[operand]) : Tensor();
}

const float* values_of(const Tensor& tensor) {
  return tensor.empty() ? nullptr : tensor.data<float>().data();
}

/// MatMul by a constant [k, p] → [Add(bias)]: rows through a fully connected layer.
std::optional<Stage> match_rows(ModelIndex& index, const Node& last) {
  Clamp clamp;
  const Node* node = before_clamp(index, &last, clamp);
  Tensor bias;
  const Node* sum = node;
  if (node != nullptr && node->op == Op::Add) {
    const size_t side = index.is_constant(node->inputs[0]) ? 0 : 1;
    const std::string& name = node->inputs[side];
    if (!index.is_constant(name) ||
        index.constant(name).shape() != graph::Shape{node->shape.back()}) {
      return std::nullopt;
    }
    bias = index.constant(name);
    node = index.private_node(node->inputs[1 - side]);
  }
  if (node == nullptr || node->op != Op::MatMul || !is_float_activation(index, node->inputs[0]) ||
      !index.is_constant(node->inputs[1]) || node->shape.size() == 4 ||
      node->shape != sum->shape) {  // a sum may spread a single column over a row
    return std::nullopt;
  }
  const std::string input = node->inputs[0];
  const Tensor weight = index.constant(node->inputs[1]);
  return Stage{
      &last, {input}, [=, &last](Builder& builder) {
        const auto in = static_cast<size_t>(weight.dim(0));
        const auto out = static_cast<size_t>(weight.dim(1));
        const size_t rows = static_cast<size_t>(sample_size(last.shape)) / out;
        return add_native_operator<float>(
            builder,
            last,
            input,
            "fully connected f32",
            create(&xnn_create_fully_connected_nc_f32,
                   in,
                   out,
                   in,
                   out,
                   weight.data<float>().data(),
                   values_of(bias),
                   clamp.low,
                   clamp.high,
                   uint32_t{XNN_FLAG_TRANSPOSE_WEIGHTS}),
            [rows](
                xnn_operator_t op, size_t batch, const float* x, float* y, pthreadpool_t threads) {
              return xnn_setup_fully_connected_nc_f32(op, batch * rows, x, y, threads);
            });
      }};
}

}  // namespace

/// Conv | Gemm with constant weights → [Relu | Clip].
std::optional<Stage> match_product(ModelIndex& index, const Node& last) {
  Clamp clamp;
  const Node* node = before_clamp(index, &last, clamp);
  if (node == nullptr || (node->op != Op::Conv && node->op != Op::Gemm)) {
    return match_rows(index, last);
  }
  if (!is_float_activation(index, node->inputs[0]) || !index.is_constant(node->inputs[1]) ||
      (node->inputs.size() > 2 && !index.is_constant(node->inputs[2]))) {
    return std::nullopt;
  }
  Convolution convolution =
      convolution_of(index, *node, node->inputs[0], index.constant(node->inputs[1]));
  const Tensor bias = constant_operand(index, *node, 2);
  std::vector<std::string> inputs{convolution.input};
  return Stage{
      &last, std::move(inputs), [=, &last, convolution = std::move(convolution)](Builder& builder) {
        return add_native_operator<float>(
            builder,
            last,
            convolution.input,
            "convolution f32",
            make_convolution(convolution, values_of(bias), clamp.low, clamp.high),
            over_images(&xnn_setup_convolution2d_nhwc_f32, convolution.height, convolution.width));
      }};
}

/// ConvTranspose with constant weights [in, out / groups, kh, kw].
std::optional<Stage> match_deconvolution(ModelIndex& index, const Node& last) {
  if (last.op != Op::ConvTranspose || !is_float_activation(index, last.inputs[0]) ||
      !index.is_constant(last.inputs[1]) ||
      (last.inputs.size() > 2 && !index.is_constant(last.inputs[2]))) {
    return std::nullopt;
  }
  const auto& window = last.as<graph::ConvTransposeAttributes>();
  if (window.output_padding[0] >= window.stride[0] ||
      window.output_padding[1] >= window.stride[1]) {
    return std::nullopt;  // with a dilation ONNX allows it, XNNPACK refuses it when it runs
  }
  const Tensor weight = index.constant(last.inputs[1]);
  const Tensor bias = constant_operand(index, last, 2);
  return Stage{
      &last, {last.inputs[0]}, [=, &last](Builder& builder) {
        const auto& a = last.as<graph::ConvTransposeAttributes>();
        const graph::Shape shape = builder.node(last.inputs[0]).shape;
        const int64_t in = shape[1] / a.groups;
        const int64_t out = weight.dim(1);
        const int64_t taps = a.kernel[0] * a.kernel[1];
        // [groups, in, out, taps] to [groups, out, taps, in].
        Tensor packed(graph::DType::F32, {a.groups * out, taps, in});
        Conversion{graph::DType::F32, in, out * taps, false}.run(
            weight.bytes(), packed.bytes(), a.groups);
        return add_native_operator<float>(
            builder,
            last,
            last.inputs[0],
            "deconvolution f32",
            create_convolution(&xnn_create_deconvolution2d_nhwc_f32,
                               a,
                               shape[1],
                               last.shape[1],
                               packed.data<float>().data(),
                               values_of(bias),
                               -kInfinity,
                               kInfinity,
                               kNoFlags),
            [height = static_cast<size_t>(shape[2]),
             width = static_cast<size_t>(shape[3]),
             down = static_cast<uint32_t>(a.output_padding[0]),
             right = static_cast<uint32_t>(a.output_padding[1])](
                xnn_operator_t op, size_t batch, const float* x, float* y, pthreadpool_t threads) {
              return xnn_setup_deconvolution2d_nhwc_f32(
                  op, batch, height, width, down, right, x, y, threads);
            });
      }};
}

}  // namespace coppice::runtime::xnnpack
