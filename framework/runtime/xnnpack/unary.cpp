#include "runtime/xnnpack/native_operator.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::Node;
using graph::Op;
using graph::Tensor;

using SetUpUnary = xnn_status (*)(xnn_operator_t, size_t, const float*, float*, pthreadpool_t);

struct Unary {
  Operator made;
  SetUpUnary setup = nullptr;
};

/// Element-wise over rows of this many values.
Unary make_elementwise(const Node& node, size_t width) {
  switch (node.op) {
    case Op::Relu:
      return {create(xnn_create_clamp_nc_f32, width, width, width, 0.0F, kInfinity, kNoFlags),
              &xnn_setup_clamp_nc_f32};
    case Op::Clip: {
      const auto& limits = node.as<graph::ClipAttributes>();
      return {
          create(xnn_create_clamp_nc_f32, width, width, width, limits.low, limits.high, kNoFlags),
          &xnn_setup_clamp_nc_f32};
    }
    case Op::Sigmoid:
      return {create(xnn_create_sigmoid_nc_f32, width, width, width, kNoFlags),
              &xnn_setup_sigmoid_nc_f32};
    case Op::HardSwish:
      return {create(xnn_create_hardswish_nc_f32, width, width, width, kNoFlags),
              &xnn_setup_hardswish_nc_f32};
    case Op::LeakyRelu:
      return {create(xnn_create_leaky_relu_nc_f32,
                     width,
                     width,
                     width,
                     node.as<graph::LeakyReluAttributes>().slope,
                     kNoFlags),
              &xnn_setup_leaky_relu_nc_f32};
    default:
      return {};
  }
}

/// Per pixel over its channels, or per row over its last dimension.
Unary make_rowwise(const Node& node, size_t width, const Tensor& slopes) {
  if (node.op == Op::Softmax) {
    return {create(xnn_create_softmax_nc_f32, width, width, width, kNoFlags),
            &xnn_setup_softmax_nc_f32};
  }
  return {
      create(xnn_create_prelu_nc_f32, width, width, width, slopes.data<float>().data(), kNoFlags),
      &xnn_setup_prelu_nc_f32};
}

/// Whether the axis is the one whose values lie side by side in the native form.
bool is_innermost(const Node& node, int64_t axis) {
  const auto rank = static_cast<int64_t>(node.shape.size());
  return rank == 4 ? axis == 1 : axis == rank - 1;
}

/// A slope for every channel; empty where they don't run along the innermost axis.
Tensor channel_slopes(const Tensor& slope, const Node& node) {
  const graph::Shape& shape = slope.shape();
  const size_t rank = node.shape.size();
  const int64_t channels = node.shape[1];
  const bool per_channel = shape.size() + 1 >= rank && slope.size() == channels &&
                           shape[shape.size() - (rank - 1)] == channels;
  if ((slope.size() != 1 && !per_channel) || !is_innermost(node, 1)) {
    return {};
  }
  Tensor result(graph::DType::F32, {channels});
  for (int64_t c = 0; c < channels; ++c) {
    result.data<float>()[static_cast<size_t>(c)] =
        slope.data<float>()[static_cast<size_t>(slope.size() == 1 ? 0 : c)];
  }
  return result;
}

Stage unary_stage(const Node& last, Tensor slopes, bool is_rowwise) {
  return {
      &last, {last.inputs[0]}, [=, &last, slopes = std::move(slopes)](Builder& builder) {
        const auto size = static_cast<size_t>(sample_size(last.shape));
        const graph::Shape native = native_shape(last.shape);
        const size_t width = is_rowwise ? static_cast<size_t>(native.back()) : size;
        Unary unary =
            is_rowwise ? make_rowwise(last, width, slopes) : make_elementwise(last, width);
        return add_native_operator<float>(
            builder,
            last,
            last.inputs[0],
            std::string(graph::to_string(last.op)) + " f32",
            std::move(unary.made),
            [rows = size / width, setup = unary.setup](
                xnn_operator_t op, size_t batch, const float* x, float* y, pthreadpool_t threads) {
              return setup(op, batch * rows, x, y, threads);
            });
      }};
}

}  // namespace

/// Activations that could not be fused.
std::optional<Stage> match_unary(ModelIndex& index, const Node& last) {
  if (last.inputs.empty() || !is_float_activation(index, last.inputs[0])) {
    return std::nullopt;
  }
  switch (last.op) {
    case Op::Relu:
    case Op::Clip:
    case Op::Sigmoid:
    case Op::HardSwish:
    case Op::LeakyRelu:
      return unary_stage(last, {}, false);
    case Op::Softmax:
      return is_innermost(last, last.as<graph::AxisAttributes>().axis)
                 ? std::optional(unary_stage(last, {}, true))
                 : std::nullopt;
    case Op::PRelu: {
      Tensor slopes = channel_slopes(index.constant(last.inputs[1]), last);
      return slopes.empty() ? std::nullopt
                            : std::optional(unary_stage(last, std::move(slopes), true));
    }
    default:
      return std::nullopt;
  }
}

}  // namespace coppice::runtime::xnnpack
