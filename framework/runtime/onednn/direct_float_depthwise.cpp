#include "runtime/onednn/direct_float_depthwise.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/onednn/avx512.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;

constexpr int64_t kChannels = 16;  // of a vector
constexpr int64_t kMostPixels = 8;

/// Neighbouring pixels of a row by 16 channels, over the taps that all of them have. Steps in
/// floats.
struct DepthwiseCall {
  const float* x = nullptr;  ///< what the first tap of the first pixel sees
  const float* weights = nullptr;
  int64_t rows = 0;  ///< of taps
  int64_t columns = 0;
  int64_t row_step = 0;
  int64_t column_step = 0;
  int64_t pixel_step = 0;
  int64_t weight_row = 0;
  const float* bias = nullptr;
  float low = 0;
  float high = 0;
  uint16_t lanes = 0;
  float* out = nullptr;
  int64_t out_step = 0;
};

#if defined(__x86_64__) && defined(__GNUC__)

template <int kPixels>
COPPICE_AVX512 void compute_pixels(const DepthwiseCall& given) {
  const DepthwiseCall call = given;  // a store may change what is read through a reference
  __m512 sums[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) {
    sums[p] = _mm512_loadu_ps(call.bias);
  }
  const int64_t step = call.pixel_step;
  const float* row = call.x;
  const float* weights = call.weights;
  for (int64_t r = 0; r < call.rows; ++r, row += call.row_step, weights += call.weight_row) {
    const float* x = row;
    const float* weight = weights;
    for (int64_t i = 0; i < call.columns; ++i, x += call.column_step, weight += kChannels) {
      const __m512 factor = _mm512_load_ps(weight);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        accumulate(sums[p], _mm512_maskz_loadu_ps(call.lanes, x + p * step), factor);
      }
    }
  }
  const __m512 low = _mm512_set1_ps(call.low);
  const __m512 high = _mm512_set1_ps(call.high);
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) {
    _mm512_mask_storeu_ps(call.out + p * call.out_step, call.lanes, clamped(sums[p], low, high));
  }
}

#else

template <int kPixels>
void compute_pixels(const DepthwiseCall&) {}

#endif

template <int... kPixels>
constexpr auto all_widths(std::integer_sequence<int, kPixels...>) {
  return std::array{&compute_pixels<kPixels + 1>...};
}

void compute_tile_of(const DepthwiseCall& call, int64_t pixels) {
  static constexpr auto kWidths = all_widths(std::make_integer_sequence<int, int{kMostPixels}>());
  kWidths[static_cast<size_t>(pixels - 1)](call);
}

int64_t divide_up(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit;
}

}  // namespace

int64_t DirectFloatDepthwise::Axis::first_tap(int64_t place) const {
  return divide_up(std::max<int64_t>(-begin(place), 0), dilation);
}

int64_t DirectFloatDepthwise::Axis::last_tap(int64_t place) const {
  return std::min(kernel, divide_up(std::max<int64_t>(in - begin(place), 0), dilation));
}

bool DirectFloatDepthwise::takes(const Product& product, DType x_dtype, DType out_dtype) {
  const graph::Shape& weight = product.weight.shape();
  return has_avx512() && product.is_conv && !product.has_residual && weight.size() == 4 &&
         weight[1] == 1 && product.conv.groups == weight[0] &&
         product.weight.dtype() == DType::F32 && x_dtype == DType::F32 && out_dtype == DType::F32;
}

DirectFloatDepthwise::DirectFloatDepthwise(const Product& product,
                                           const dnnl::memory::dims& x,
                                           const dnnl::memory::dims& out)
    : batch_(x[0]), channels_(x[1]), end_(product, DType::F32) {
  const graph::ConvAttributes& conv = product.conv;
  down_ = {x[2], out[2], conv.kernel[0], conv.stride[0], conv.dilation[0], conv.pads[0]};
  across_ = {x[3], out[3], conv.kernel[1], conv.stride[1], conv.dilation[1], conv.pads[1]};
  const auto sees_all = [&](int64_t place) {
    return across_.first_tap(place) == 0 && across_.last_tap(place) == across_.kernel;
  };
  while (first_inner_ < across_.out && !sees_all(first_inner_)) {
    ++first_inner_;
  }
  last_inner_ = first_inner_;
  while (last_inner_ < across_.out && sees_all(last_inner_)) {
    ++last_inner_;
  }
  const int64_t vectors = divide_up(channels_, kChannels);
  const int64_t taps = down_.kernel * across_.kernel;
  weights_ = graph::Tensor(DType::F32, {vectors, taps, kChannels});
  biases_.assign(static_cast<size_t>(vectors * kChannels), 0);
  std::copy(product.bias.begin(), product.bias.end(), biases_.begin());
  const float* from = product.weight.data<float>().data();
  float* to = weights_.data<float>().data();
  for (int64_t c = 0; c < channels_; ++c) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      to[(c / kChannels * taps + tap) * kChannels + c % kChannels] = *from++;
    }
  }
}

void DirectFloatDepthwise::run(const float* x, float* out) const {
  for (int64_t n = 0; n < batch_; ++n, x += down_.in * across_.in * channels_) {
    for (int64_t row = 0; row < down_.out; ++row, out += across_.out * channels_) {
      run_row(x, row, out);
    }
  }
}

void DirectFloatDepthwise::run_row(const float* image, int64_t row, float* out) const {
  const int64_t first_row = down_.first_tap(row);
  DepthwiseCall call;
  call.rows = down_.last_tap(row) - first_row;
  call.row_step = down_.dilation * across_.in * channels_;
  call.column_step = across_.dilation * channels_;
  call.pixel_step = across_.stride * channels_;
  call.weight_row = across_.kernel * kChannels;
  call.out_step = channels_;
  call.low = end_.low;
  call.high = end_.high;
  const int64_t taps = down_.kernel * across_.kernel;
  const float* from =
      image + (down_.begin(row) + first_row * down_.dilation) * across_.in * channels_;
  for (int64_t channel = 0; channel < channels_; channel += kChannels) {
    call.lanes = lanes_of_16(channels_ - channel);
    call.bias = biases_.data() + channel;
    const float* weights = reinterpret_cast<const float*>(weights_.bytes()) + channel * taps +
                           first_row * call.weight_row;
    int64_t pixel = 0;
    while (pixel < across_.out) {
      const bool inner = pixel >= first_inner_ && pixel < last_inner_;
      const int64_t width = inner ? std::min(kMostPixels, last_inner_ - pixel) : 1;
      const int64_t first = inner ? 0 : across_.first_tap(pixel);
      call.columns = inner ? across_.kernel : across_.last_tap(pixel) - first;
      call.x = from + (across_.begin(pixel) + first * across_.dilation) * channels_ + channel;
      call.weights = weights + first * kChannels;
      call.out = out + pixel * channels_ + channel;
      compute_tile_of(call, width);
      pixel += width;
    }
  }
}

}  // namespace coppice::runtime::onednn
