#include "runtime/onednn/direct_float_depthwise.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/onednn/avx512.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;

constexpr int64_t kChannels = 16;  // of a vector
constexpr int kMostPixels = 8;
constexpr int kMostVectors = 4;
constexpr int kMostSums = 16;  // registers

/// What the tiles of one row have in common. Steps in floats.
struct DepthwiseRow {
  int64_t rows = 0;  ///< of taps
  int64_t row_step = 0;
  int64_t column_step = 0;
  int64_t pixel_step = 0;
  int64_t weight_row = 0;
  int64_t weight_vector = 0;
  int64_t out_step = 0;
  float low = 0;
  float high = 0;
};

/// Neighbouring pixels of a row by 16 channels or several times 16, over the taps that all of them
/// have.
struct DepthwiseTile {
  const float* x = nullptr;  ///< what the first tap of the first pixel sees
  const float* weights = nullptr;
  const float* bias = nullptr;
  float* out = nullptr;
};

#if defined(__x86_64__) && defined(__GNUC__)

template <int kPixels, int kVectors>
COPPICE_AVX512 void compute_pixels(const DepthwiseRow& row,
                                   const DepthwiseTile& tile,
                                   int64_t columns,
                                   uint16_t lanes) {
  __m512 sums[kVectors][kPixels];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      sums[v][p] = _mm512_loadu_ps(tile.bias + v * kChannels);
    }
  }
  const int64_t step = row.pixel_step;
  const float* x_row = tile.x;
  const float* weights = tile.weights;
  for (int64_t r = row.rows; r > 0; --r, x_row += row.row_step, weights += row.weight_row) {
    const float* x = x_row;
    const float* weight = weights;
    for (int64_t i = columns; i > 0; --i, x += row.column_step, weight += kChannels) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const __m512 factor = _mm512_load_ps(weight + v * row.weight_vector);
#pragma GCC unroll 8
        for (int p = 0; p < kPixels; ++p) {
          const float* seen = x + p * step + v * kChannels;
          accumulate(sums[v][p], _mm512_maskz_loadu_ps(lanes, seen), factor);
        }
      }
    }
  }
  const __m512 low = _mm512_set1_ps(row.low);
  const __m512 high = _mm512_set1_ps(row.high);
  float* out = tile.out;
  const int64_t out_step = row.out_step;
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      _mm512_mask_storeu_ps(
          out + p * out_step + v * kChannels, lanes, clamped(sums[v][p], low, high));
    }
  }
}

#else

template <int kPixels, int kVectors>
void compute_pixels(const DepthwiseRow&, const DepthwiseTile&, int64_t, uint16_t) {}

#endif

/// How many vectors fill the registers: a single sum would wait for itself at every tap.
constexpr int vectors_beside(int pixels) {
  return std::min(kMostVectors, kMostSums / pixels);
}

using Kernel = void (*)(const DepthwiseRow&, const DepthwiseTile&, int64_t, uint16_t);

/// Of so many pixels: by one vector, and by as many as the registers hold.
struct Kernels {
  Kernel one = nullptr;
  Kernel many = nullptr;
};

template <int... kPixels>
constexpr auto all_widths(std::integer_sequence<int, kPixels...>) {
  return std::array{Kernels{&compute_pixels<kPixels + 1, 1>,
                            &compute_pixels<kPixels + 1, vectors_beside(kPixels + 1)>}...};
}

constexpr auto kKernels = all_widths(std::make_integer_sequence<int, kMostPixels>());

/// All channels of some pixels. `tile` stands at the first channel.
void compute_channels(const DepthwiseRow& row,
                      DepthwiseTile tile,
                      int64_t columns,
                      int64_t pixels,
                      int64_t channels) {
  const Kernels& kernels = kKernels[static_cast<size_t>(pixels - 1)];
  const int64_t many = vectors_beside(static_cast<int>(pixels));
  while (channels > 0) {
    const bool full = channels >= many * kChannels;
    const int64_t vectors = full ? many : 1;
    (full ? kernels.many : kernels.one)(row, tile, columns, lanes_of_16(channels));
    channels -= vectors * kChannels;
    tile.x += vectors * kChannels;
    tile.weights += vectors * row.weight_vector;
    tile.bias += vectors * kChannels;
    tile.out += vectors * kChannels;
  }
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

/// Those that see all taps by several, those at the edges one by one.
std::vector<DirectFloatDepthwise::Strip> DirectFloatDepthwise::strips_of(const Axis& axis) {
  const auto sees_all = [&](int64_t place) {
    return axis.first_tap(place) == 0 && axis.last_tap(place) == axis.kernel;
  };
  std::vector<Strip> strips;
  for (int64_t place = 0; place < axis.out; place += strips.back().pixels) {
    const int64_t first = axis.first_tap(place);
    Strip strip{place, 1, first, axis.last_tap(place) - first};
    while (sees_all(place) && strip.pixels < kMostPixels && place + strip.pixels < axis.out &&
           sees_all(place + strip.pixels)) {
      ++strip.pixels;
    }
    strips.push_back(strip);
  }
  return strips;
}

DirectFloatDepthwise::DirectFloatDepthwise(const Product& product,
                                           const dnnl::memory::dims& x,
                                           const dnnl::memory::dims& out)
    : batch_(x[0]), channels_(x[1]), end_(product, DType::F32) {
  const graph::ConvAttributes& conv = product.conv;
  down_ = {x[2], out[2], conv.kernel[0], conv.stride[0], conv.dilation[0], conv.pads[0]};
  across_ = {x[3], out[3], conv.kernel[1], conv.stride[1], conv.dilation[1], conv.pads[1]};
  strips_ = strips_of(across_);
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

void DirectFloatDepthwise::run_row(const float* image, int64_t line, float* out) const {
  const int64_t first_row = down_.first_tap(line);
  DepthwiseRow row;
  row.rows = down_.last_tap(line) - first_row;
  row.row_step = down_.dilation * across_.in * channels_;
  row.column_step = across_.dilation * channels_;
  row.pixel_step = across_.stride * channels_;
  row.weight_row = across_.kernel * kChannels;
  row.weight_vector = down_.kernel * row.weight_row;
  row.out_step = channels_;
  row.low = end_.low;
  row.high = end_.high;
  image += (down_.begin(line) + first_row * down_.dilation) * across_.in * channels_;
  const auto* weights =
      reinterpret_cast<const float*>(weights_.bytes()) + first_row * row.weight_row;
  for (const Strip& strip : strips_) {
    const int64_t begin = across_.begin(strip.pixel) + strip.first_tap * across_.dilation;
    const DepthwiseTile tile{image + begin * channels_,
                             weights + strip.first_tap * kChannels,
                             biases_.data(),
                             out + strip.pixel * channels_};
    compute_channels(row, tile, strip.taps, strip.pixels, channels_);
  }
}

}  // namespace coppice::runtime::onednn
