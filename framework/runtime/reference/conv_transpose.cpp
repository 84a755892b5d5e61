#include <algorithm>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

/// Adds a pixel times a filter [kernel height, kernel width] to the plane of an output channel.
void spread(const graph::ConvTransposeAttributes& a,
            float value,
            const float* filter,
            int64_t row,
            int64_t column,
            int64_t height,
            int64_t width,
            float* plane) {
  for (int64_t kh = 0; kh < a.kernel[0]; ++kh) {
    const int64_t h = row * a.stride[0] + kh * a.dilation[0] - a.pads[0];
    if (h < 0 || h >= height) {
      continue;
    }
    for (int64_t kw = 0; kw < a.kernel[1]; ++kw) {
      const int64_t w = column * a.stride[1] + kw * a.dilation[1] - a.pads[1];
      if (w >= 0 && w < width) {
        plane[h * width + w] += value * filter[kh * a.kernel[1] + kw];
      }
    }
  }
}

}  // namespace

template <>
void compute<Op::ConvTranspose>(const graph::Attributes& attributes,
                                Operands inputs,
                                const View& output) {
  for (const View* input : inputs) {
    require_dtype(*input, DType::F32);
  }
  const auto& a = std::get<graph::ConvTransposeAttributes>(attributes);
  const graph::Shape& x = inputs[0]->shape;
  const int64_t in_per_group = x[1] / a.groups;
  const int64_t out_per_group = inputs[1]->shape[1];
  const int64_t height = output.shape[2];
  const int64_t width = output.shape[3];
  const int64_t kernel_size = a.kernel[0] * a.kernel[1];
  for (int64_t row = 0; row < x[0] * output.shape[1]; ++row) {
    const int64_t n = row / output.shape[1];
    const int64_t oc = row % output.shape[1];
    const int64_t first_in = oc / out_per_group * in_per_group;
    float* plane = output.as<float>() + row * height * width;
    std::fill(plane, plane + height * width, inputs.size() > 2 ? inputs[2]->as<float>()[oc] : 0.0F);
    for (int64_t ic = first_in; ic < first_in + in_per_group; ++ic) {
      const float* image = inputs[0]->as<float>() + (n * x[1] + ic) * x[2] * x[3];
      const float* filter =
          inputs[1]->as<float>() + (ic * out_per_group + oc % out_per_group) * kernel_size;
      for (int64_t i = 0; i < x[2] * x[3]; ++i) {
        spread(a, image[i], filter, i / x[3], i % x[3], height, width, plane);
      }
    }
  }
}

}  // namespace coppice::runtime::reference
