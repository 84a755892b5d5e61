#include "runtime/xnnpack/native_operator.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

size_t channels_of(const Node& image) {
  return static_cast<size_t>(image.shape[1]);
}

/// An operator over images of floats or bytes.
template <class T, class SetUpImages>
bool add_image_operator(Builder& builder, const Node& last, Operator made, SetUpImages* function) {
  const graph::Shape& shape = builder.node(last.inputs[0]).shape;
  return add_native_operator<T>(
      builder,
      last,
      last.inputs[0],
      std::string(graph::to_string(last.op)) + " " + std::string(graph::to_string(last.dtype)),
      std::move(made),
      over_images(function, shape[2], shape[3]));
}

template <class T, class Create, class SetUpImages>
bool add_max_pool(
    Builder& builder, const Node& last, Create create, SetUpImages* function, T low, T high) {
  const size_t channels = channels_of(last);
  constexpr uint32_t kDilation = 1;
  return add_image_operator<T>(builder,
                               last,
                               create_windowed(create,
                                               last.as<graph::PoolAttributes>(),
                                               kDilation,
                                               kDilation,
                                               channels,
                                               channels,
                                               channels,
                                               low,
                                               high,
                                               kNoFlags),
                               function);
}

bool build_max_pool(Builder& builder, const Node& last) {
  return last.dtype == DType::F32 ? add_max_pool<float>(builder,
                                                        last,
                                                        &xnn_create_max_pooling2d_nhwc_f32,
                                                        &xnn_setup_max_pooling2d_nhwc_f32,
                                                        -kInfinity,
                                                        kInfinity)
                                  : add_max_pool<int8_t>(builder,
                                                         last,
                                                         &xnn_create_max_pooling2d_nhwc_s8,
                                                         &xnn_setup_max_pooling2d_nhwc_s8,
                                                         std::numeric_limits<int8_t>::min(),
                                                         std::numeric_limits<int8_t>::max());
}

bool build_average_pool(Builder& builder, const Node& last) {
  const size_t channels = channels_of(last);
  return add_image_operator<float>(builder,
                                   last,
                                   create_windowed(&xnn_create_average_pooling2d_nhwc_f32,
                                                   last.as<graph::PoolAttributes>(),
                                                   channels,
                                                   channels,
                                                   channels,
                                                   -kInfinity,
                                                   kInfinity,
                                                   kNoFlags),
                                   &xnn_setup_average_pooling2d_nhwc_f32);
}

bool build_mean(Builder& builder, const Node& last) {
  const graph::Shape& shape = builder.node(last.inputs[0]).shape;
  const size_t channels = channels_of(last);
  return add_native_operator<float>(
      builder,
      last,
      last.inputs[0],
      "GlobalAveragePool f32",
      create(&xnn_create_global_average_pooling_nwc_f32,
             channels,
             channels,
             channels,
             -kInfinity,
             kInfinity,
             kNoFlags),
      [pixels = static_cast<size_t>(shape[2] * shape[3])](
          xnn_operator_t op, size_t batch, const float* x, float* y, pthreadpool_t threads) {
        return xnn_setup_global_average_pooling_nwc_f32(op, batch, pixels, x, y, threads);
      });
}

bool build_resize(Builder& builder, const Node& last) {
  const size_t channels = channels_of(last);
  const bool corners = last.as<graph::ResizeAttributes>().mode == graph::ResizeMode::LinearCorners;
  const graph::Shape from = builder.node(last.inputs[0]).shape;
  return add_native_operator<float>(
      builder,
      last,
      last.inputs[0],
      "Resize f32",
      create(&xnn_create_resize_bilinear2d_nhwc_f32,
             channels,
             channels,
             channels,
             corners ? uint32_t{XNN_FLAG_ALIGN_CORNERS} : kNoFlags),
      [from, to = last.shape](
          xnn_operator_t op, size_t batch, const float* x, float* y, pthreadpool_t threads) {
        return xnn_setup_resize_bilinear2d_nhwc_f32(op,
                                                    batch,
                                                    static_cast<size_t>(from[2]),
                                                    static_cast<size_t>(from[3]),
                                                    static_cast<size_t>(to[2]),
                                                    static_cast<size_t>(to[3]),
                                                    x,
                                                    y,
                                                    threads);
      });
}

}  // namespace

/// Pooling and linear resizing of images.
std::optional<Stage> match_pool(ModelIndex& index, const Node& last) {
  const bool is_float = !last.inputs.empty() && is_float_activation(index, last.inputs[0]);
  const bool is_byte = last.dtype == DType::U8 || last.dtype == DType::I8;
  if (last.op == Op::MaxPool ? !(is_float || is_byte) : !is_float) {
    return std::nullopt;
  }
  const auto stage = [&](auto build) {
    return Stage{&last, last.inputs, [build, &last](Builder& builder) {
                   return build(builder, last);
                 }};
  };
  switch (last.op) {
    case Op::MaxPool:
      return stage(&build_max_pool);
    case Op::AveragePool:
      return stage(&build_average_pool);
    case Op::GlobalAveragePool:
      return stage(&build_mean);
    case Op::Resize:
      return last.as<graph::ResizeAttributes>().mode == graph::ResizeMode::Nearest
                 ? std::nullopt
                 : std::optional(stage(&build_resize));
    default:
      return std::nullopt;
  }
}

}  // namespace coppice::runtime::xnnpack
