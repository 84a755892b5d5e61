#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

uint32_t part(const graph::Shape& shape, size_t i) {
  return static_cast<uint32_t>(shape[i]);
}

Operator make_max_pool(const graph::PoolAttributes& a, size_t channels, bool is_float) {
  const auto make = [&](auto function, auto low, auto high) {
    return create(function,
                  part(a.pads, 0),
                  part(a.pads, 3),
                  part(a.pads, 2),
                  part(a.pads, 1),
                  part(a.kernel, 0),
                  part(a.kernel, 1),
                  part(a.stride, 0),
                  part(a.stride, 1),
                  uint32_t{1},
                  uint32_t{1},
                  channels,
                  channels,
                  channels,
                  low,
                  high,
                  uint32_t{0});
  };
  return is_float ? make(xnn_create_max_pooling2d_nhwc_f32, -kInfinity, kInfinity)
                  : make(xnn_create_max_pooling2d_nhwc_s8, int8_t{-128}, int8_t{127});
}

Operator make_average_pool(const graph::PoolAttributes& a, size_t channels) {
  return create(xnn_create_average_pooling2d_nhwc_f32,
                part(a.pads, 0),
                part(a.pads, 3),
                part(a.pads, 2),
                part(a.pads, 1),
                part(a.kernel, 0),
                part(a.kernel, 1),
                part(a.stride, 0),
                part(a.stride, 1),
                channels,
                channels,
                channels,
                -kInfinity,
                kInfinity,
                uint32_t{0});
}

/// Runs an operator over images: of floats or bytes, by one of the set-up functions.
template <class T>
bool add_image_operator(
    Builder& builder,
    const Node& last,
    Operator made,
    xnn_status (*setup)(xnn_operator_t, size_t, size_t, size_t, const T*, T*, pthreadpool_t)) {
  if (!made) {
    return false;
  }
  const graph::Shape& shape = builder.node(last.inputs[0]).shape;
  const auto height = static_cast<size_t>(shape[2]);
  const auto width = static_cast<size_t>(shape[3]);
  const size_t x = builder.native(last.inputs[0]);
  const size_t y = builder.new_buffer(last);
  builder.add_operator(
      std::string(graph::to_string(last.op)) + " " + std::string(graph::to_string(last.dtype)),
      std::move(made),
      [=, memory = builder.memory()](xnn_operator_t op, size_t batch, pthreadpool_t threads) {
        return setup(op, batch, height, width, memory->at<T>(x), memory->at<T>(y), threads);
      },
      {x, y});
  builder.define(last, Form::Native, y);
  return true;
}

bool build_pool(Builder& builder, const Node& last) {
  const auto& attributes = last.as<graph::PoolAttributes>();
  const auto channels = static_cast<size_t>(last.shape[1]);
  if (last.op == Op::AveragePool) {
    return add_image_operator<float>(builder,
                                     last,
                                     make_average_pool(attributes, channels),
                                     &xnn_setup_average_pooling2d_nhwc_f32);
  }
  const bool is_float = last.dtype == DType::F32;
  Operator made = make_max_pool(attributes, channels, is_float);
  return is_float ? add_image_operator<float>(
                        builder, last, std::move(made), &xnn_setup_max_pooling2d_nhwc_f32)
                  : add_image_operator<int8_t>(
                        builder, last, std::move(made), &xnn_setup_max_pooling2d_nhwc_s8);
}

bool build_mean(Builder& builder, const Node& last) {
  const graph::Shape& shape = builder.node(last.inputs[0]).shape;
  const auto channels = static_cast<size_t>(shape[1]);
  const auto pixels = static_cast<size_t>(shape[2] * shape[3]);
  Operator made = create(xnn_create_global_average_pooling_nwc_f32,
                         channels,
                         channels,
                         channels,
                         -kInfinity,
                         kInfinity,
                         uint32_t{0});
  if (!made) {
    return false;
  }
  const size_t x = builder.native(last.inputs[0]);
  const size_t y = builder.new_buffer(last);
  builder.add_operator(
      "GlobalAveragePool f32",
      std::move(made),
      [=, memory = builder.memory()](xnn_operator_t op, size_t batch, pthreadpool_t threads) {
        return xnn_setup_global_average_pooling_nwc_f32(
            op, batch, pixels, memory->at<float>(x), memory->at<float>(y), threads);
      },
      {x, y});
  builder.define(last, Form::Native, y);
  return true;
}

bool build_resize(Builder& builder, const Node& last) {
  const auto channels = static_cast<size_t>(last.shape[1]);
  const bool corners = last.as<graph::ResizeAttributes>().mode == graph::ResizeMode::LinearCorners;
  Operator made = create(xnn_create_resize_bilinear2d_nhwc_f32,
                         channels,
                         channels,
                         channels,
                         corners ? uint32_t{XNN_FLAG_ALIGN_CORNERS} : uint32_t{0});
  if (!made) {
    return false;
  }
  const graph::Shape from = builder.node(last.inputs[0]).shape;
  const graph::Shape to = last.shape;
  const size_t x = builder.native(last.inputs[0]);
  const size_t y = builder.new_buffer(last);
  builder.add_operator(
      "Resize f32",
      std::move(made),
      [=, memory = builder.memory()](xnn_operator_t op, size_t batch, pthreadpool_t threads) {
        return xnn_setup_resize_bilinear2d_nhwc_f32(op,
                                                    batch,
                                                    static_cast<size_t>(from[2]),
                                                    static_cast<size_t>(from[3]),
                                                    static_cast<size_t>(to[2]),
                                                    static_cast<size_t>(to[3]),
                                                    memory->at<float>(x),
                                                    memory->at<float>(y),
                                                    threads);
      },
      {x, y});
  builder.define(last, Form::Native, y);
  return true;
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
    case Op::AveragePool:
      return stage(&build_pool);
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
