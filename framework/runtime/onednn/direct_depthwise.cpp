#include "runtime/onednn/direct_depthwise.h"

#include <numeric>

#include "runtime/onednn/avx512.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;

constexpr int64_t kBlockBytes = 64;     // bytes
constexpr int64_t kGroup = 4;           // taps of an instruction for bytes
constexpr int64_t kLargestPeriod = 64;  // blocks

/// Where byte i of a block stands among the sums: the order that unpacking bytes twice gives.
int64_t place_of(int64_t i) {
  const int64_t lane = i / 16;
  const int64_t vector = i % 16 / 4;
  return vector * 16 + lane * 4 + i % 4;
}

#if defined(__x86_64__) && defined(__GNUC__)

COPPICE_AVX512 void convolve_segment(const DepthwiseTables& tables,
                                     const std::byte* x,
                                     std::byte* out) {
  const __m512 low = _mm512_set1_ps(tables.end.low);
  const __m512 high = _mm512_set1_ps(tables.end.high);
  const bool is_signed = tables.end.dtype == DType::I8;
  const std::byte* filter = tables.filters.data();
  size_t block = 0;
  for (int64_t done = 0; done < tables.segment_bytes; done += kBlockBytes) {
    __m512i sums[4];
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; ++v) {
      sums[v] = _mm512_loadu_si512(tables.starts.data() + block * kBlockBytes + v * 16);
    }
    for (size_t tap = 0; tap < tables.taps.size(); tap += kGroup, filter += kBlockBytes * kGroup) {
      const __m512i a = _mm512_loadu_si512(x + done + tables.taps[tap]);
      const __m512i b = _mm512_loadu_si512(x + done + tables.taps[tap + 1]);
      const __m512i c = _mm512_loadu_si512(x + done + tables.taps[tap + 2]);
      const __m512i d = _mm512_loadu_si512(x + done + tables.taps[tap + 3]);
      const __m512i ab_low = _mm512_unpacklo_epi8(a, b);
      const __m512i cd_low = _mm512_unpacklo_epi8(c, d);
      const __m512i ab_high = _mm512_unpackhi_epi8(a, b);
      const __m512i cd_high = _mm512_unpackhi_epi8(c, d);
      const __m512i words[4] = {_mm512_unpacklo_epi16(ab_low, cd_low),
                                _mm512_unpackhi_epi16(ab_low, cd_low),
                                _mm512_unpacklo_epi16(ab_high, cd_high),
                                _mm512_unpackhi_epi16(ab_high, cd_high)};
#pragma GCC unroll 4
      for (size_t v = 0; v < 4; ++v) {
        sums[v] = _mm512_dpbusd_epi32(sums[v], words[v], _mm512_loadu_si512(filter + v * 64));
      }
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; ++v) {
      const size_t place = block * kBlockBytes + v * 16;
      const __m512 value =
          scaled(sums[v], tables.biases.data() + place, tables.multipliers.data() + place);
      sums[v] = _mm512_cvtps_epi32(clamped(value, low, high));
    }
    const __m512i first = _mm512_packs_epi32(sums[0], sums[1]);
    const __m512i second = _mm512_packs_epi32(sums[2], sums[3]);
    const __m512i bytes =
        is_signed ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
    _mm512_mask_storeu_epi8(out + done, lanes_of_64(tables.segment_bytes - done), bytes);
    if (++block == tables.period) {
      block = 0;
      filter = tables.filters.data();
    }
  }
}

#else

void convolve_segment(const DepthwiseTables&, const std::byte*, std::byte*) {}

#endif

}  // namespace

bool DirectDepthwise::takes(const Product& product, DType x_dtype, DType out_dtype) {
  const graph::Shape& weight = product.weight.shape();
  if (!has_avx512() || !product.is_conv || product.has_residual || weight.size() != 4 ||
      weight[1] != 1 || product.conv.groups != weight[0] || product.conv.stride[1] != 1) {
    return false;
  }
  return product.weight.dtype() == DType::I8 && graph::size_bytes(x_dtype) == 1 &&
         graph::size_bytes(out_dtype) == 1;
}

DirectDepthwise::DirectDepthwise(const Product& product,
                                 const dnnl::memory::dims& x,
                                 DType x_dtype,
                                 const dnnl::memory::dims& out,
                                 DType out_dtype)
    : batch_(x[0]), channels_(x[1]), out_height_(out[2]) {
  const graph::ConvAttributes& conv = product.conv;
  frame_ = {x[2],
            x[3],
            channels_,
            {conv.pads[0], conv.pads[1], conv.pads[2], conv.pads[3]},
            x_dtype == DType::I8};
  tables_.end = DirectEnd(product, out_dtype);
  for (int64_t ky = 0; ky < conv.kernel[0]; ++ky) {
    for (int64_t kx = 0; kx < conv.kernel[1]; ++kx) {
      tables_.taps.push_back(ky * conv.dilation[0] * frame_.row_bytes() +
                             kx * conv.dilation[1] * channels_);
    }
  }
  row_step_ = conv.stride[0] * frame_.row_bytes();
  const int64_t period = channels_ / std::gcd(channels_, kBlockBytes);
  if (period <= kLargestPeriod) {
    tables_.segment_bytes = out[3] * channels_;
    tables_.period = static_cast<size_t>(period);
  } else {
    segments_ = out[3];
    segment_step_ = channels_;
    tables_.segment_bytes = channels_;
    tables_.period = static_cast<size_t>((channels_ + kBlockBytes - 1) / kBlockBytes);
  }
  pack(product);
}

int64_t DirectDepthwise::channel_at(int64_t place) const {
  const bool comes_round = segment_step_ == 0;
  return comes_round || place < channels_ ? place % channels_ : -1;
}

void DirectDepthwise::pack(const Product& product) {
  const int8_t* weight = product.weight.data<int8_t>().data();
  const auto count = static_cast<int64_t>(tables_.taps.size());
  const int64_t groups = (count + kGroup - 1) / kGroup;
  const int64_t last = tables_.taps.back();
  tables_.taps.resize(static_cast<size_t>(groups * kGroup), last);  // under weights of 0
  const auto places = static_cast<int64_t>(tables_.period) * kBlockBytes;
  tables_.filters.assign(static_cast<size_t>(places * groups * kGroup), std::byte{});
  tables_.starts.assign(static_cast<size_t>(places), 0);
  tables_.biases.assign(static_cast<size_t>(places), 0);
  tables_.multipliers.assign(static_cast<size_t>(places), 0);
  for (int64_t i = 0; i < places; ++i) {
    const int64_t channel = channel_at(i);
    if (channel < 0) {
      break;
    }
    const int64_t block = i / kBlockBytes;
    const int64_t place = place_of(i % kBlockBytes);
    const auto sum = static_cast<size_t>(block * kBlockBytes + place);
    tables_.biases[sum] = product.bias.empty() ? 0.0F : product.bias[static_cast<size_t>(channel)];
    tables_.multipliers[sum] = product.scales[static_cast<size_t>(channel)];
    for (int64_t tap = 0; tap < count; ++tap) {
      const int8_t value = weight[channel * count + tap];
      const int64_t group = block * groups + tap / kGroup;
      tables_.filters[static_cast<size_t>((group * kBlockBytes + place) * kGroup + tap % kGroup)] =
          static_cast<std::byte>(value);
      tables_.starts[sum] -= frame_.flip ? 128 * value : 0;
    }
  }
}

void DirectDepthwise::run(const std::byte* images, std::byte* out, std::byte* scratch) const {
  for (int64_t n = 0; n < batch_; ++n, images += frame_.image_bytes()) {
    frame_.fill(images, scratch);
    for (int64_t y = 0; y < out_height_; ++y) {
      for (int64_t i = 0; i < segments_; ++i, out += tables_.segment_bytes) {
        convolve_segment(tables_, scratch + y * row_step_ + i * segment_step_, out);
      }
    }
  }
}

}  // namespace coppice::runtime::onednn
