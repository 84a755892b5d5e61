#pragma once

#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/xnnpack/builder.h"

/// What the stages that run one of XNNPACK's operators share.
namespace coppice::runtime::xnnpack {

/// `create` for an operator with a window over images: padding, kernel and stride come first.
template <class Create, class Window, class... Arguments>
Operator create_windowed(const Create& function,
                         const Window& window,
                         const Arguments&... arguments) {
  const std::array numbers{window.pads[0],  // XNNPACK wants top, right, bottom, left
                           window.pads[3],
                           window.pads[2],
                           window.pads[1],
                           window.kernel[0],
                           window.kernel[1],
                           window.stride[0],
                           window.stride[1]};
  return std::apply(
      [&](const auto... number) {
        return create(function, static_cast<uint32_t>(number)..., arguments...);
      },
      numbers);
}

/// The same for a convolution or deconvolution of these channels.
template <class Create, class Window, class... Arguments>
Operator create_convolution(const Create& function,
                            const Window& window,
                            int64_t in_channels,
                            int64_t out_channels,
                            const Arguments&... arguments) {
  return create_windowed(function,
                         window,
                         static_cast<uint32_t>(window.dilation[0]),
                         static_cast<uint32_t>(window.dilation[1]),
                         static_cast<uint32_t>(window.groups),
                         static_cast<size_t>(in_channels / window.groups),
                         static_cast<size_t>(out_channels / window.groups),
                         static_cast<size_t>(in_channels),
                         static_cast<size_t>(out_channels),
                         arguments...);
}

/// A Setup from buffer x to buffer y. `call` (operator, batch, const T* x, T* y, threads) is one of
/// the xnn_setup functions, with what it takes besides.
template <class T, class Call>
Setup set_up(const Memory* memory, size_t x, size_t y, Call call) {
  return [=](xnn_operator_t made, size_t batch, pthreadpool_t threads) {
    return call(made, batch, memory->at<const T>(x), memory->at<T>(y), threads);
  };
}

/// Such a call for the xnn_setup functions that take height and width of an image.
template <class SetUpImages>
auto over_images(SetUpImages* function, int64_t height, int64_t width) {
  return [=](xnn_operator_t made, size_t batch, const auto* x, auto* y, pthreadpool_t threads) {
    return function(
        made, batch, static_cast<size_t>(height), static_cast<size_t>(width), x, y, threads);
  };
}

/// Adds an operator that makes `output` from the value `input`, both native. False where there is
/// none.
template <class T, class Call>
bool add_native_operator(Builder& builder,
                         const graph::Node& output,
                         const std::string& input,
                         std::string work,
                         Operator made,
                         Call call) {
  if (!made) {
    return false;
  }
  const size_t x = builder.native(input);
  const size_t y = builder.new_buffer(output);
  builder.add_operator(
      std::move(work), std::move(made), set_up<T>(builder.memory(), x, y, std::move(call)), {x, y});
  builder.define(output, Form::Native, y);
  return true;
}

}  // namespace coppice::runtime::xnnpack
