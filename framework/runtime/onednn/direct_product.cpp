#include "runtime/onednn/direct_product.h"

#include <algorithm>
#include <cstring>

#include "runtime/onednn/avx512.h"
#include "runtime/onednn/direct_tile.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;

constexpr int64_t kVector = 16;     // channels of a register of sums
constexpr int64_t kWord = 4;        // bytes
constexpr int64_t kRowVectors = 8;  // more sums at once where there is one row only
constexpr int64_t kPixelVectors = 4;

bool is_byte_value(DType dtype) {
  return dtype == DType::U8 || dtype == DType::I8;
}

int64_t round_up(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

bool DirectProduct::takes(const Product& product, DType x_dtype, DType out_dtype) {
  const graph::ConvAttributes& conv = product.conv;
  if (product.is_conv && (conv.groups != 1 || conv.dilation[0] != 1 || conv.dilation[1] != 1)) {
    return false;
  }
  if (!has_avx512()) {
    return false;
  }
  if (product.weight.dtype() == DType::F32) {
    return x_dtype == DType::F32 && out_dtype == DType::F32;
  }
  return product.weight.dtype() == DType::I8 && is_byte_value(x_dtype) &&
         (is_byte_value(out_dtype) || (out_dtype == DType::F32 && !product.has_residual));
}

DirectProduct::DirectProduct(const Product& product,
                             const dnnl::memory::dims& x,
                             DType x_dtype,
                             const dnnl::memory::dims& out,
                             DType out_dtype,
                             std::optional<DType> residual)
    : batch_(x[0]), lines_(out[2]), pixels_(out[3]) {
  const graph::ConvAttributes& conv = product.conv;
  frame_ = {x[2],
            x[3],
            x[1] * graph::size_bytes(x_dtype),
            {conv.pads[0], conv.pads[1], conv.pads[2], conv.pads[3]},
            x_dtype == DType::I8};
  const bool has_pads =
      std::any_of(frame_.pads.begin(), frame_.pads.end(), [](int64_t pad) { return pad != 0; });
  framed_ = has_pads || frame_.flip || conv.kernel[1] * frame_.pixel_bytes % kWord != 0;
  tables_.floats = x_dtype == DType::F32;
  tables_.end = DirectEnd(product, out_dtype);
  tables_.channels = out[1];
  tables_.block_vectors = kPixelVectors;
  tables_.runs = conv.kernel[0];
  tables_.run_step = frame_.row_bytes();
  tables_.pixel_step = conv.stride[1] * frame_.pixel_bytes;
  tables_.residual_scale = product.residual_scale;
  tables_.residual = residual.value_or(DType::F32);
  line_step_ = conv.stride[0] * frame_.row_bytes();
  image_step_ = framed_ ? frame_.bytes() : frame_.image_bytes();
  if (line_step_ == pixels_ * tables_.pixel_step) {
    pixels_ *= lines_;
    lines_ = 1;
  }
  const int64_t run_length = conv.kernel[1] * x[1];
  pack(product, product.weight.bytes(), tables_.runs * run_length, run_length);
}

DirectProduct::DirectProduct(
    const Product& product, const void* weight, int64_t rows, DType x_dtype, DType out_dtype)
    : pixels_(rows) {
  const int64_t length = product.weight.dim(1);
  frame_ = {1, rows, length * graph::size_bytes(x_dtype), {}, x_dtype == DType::I8};
  framed_ = frame_.flip || frame_.pixel_bytes % kWord != 0;
  tables_.floats = x_dtype == DType::F32;
  tables_.end = DirectEnd(product, out_dtype);
  tables_.channels = product.weight.dim(0);
  tables_.block_vectors = rows == 1 ? kRowVectors : kPixelVectors;
  tables_.pixel_step = frame_.pixel_bytes;
  pack(product, weight, length, length);
}

/// A convolution's weight [out, in, kh, kw] is read in the order of its input's bytes: kh, kw, in.
void DirectProduct::pack(const Product& product,
                         const void* weight,
                         int64_t length,
                         int64_t run_length) {
  const auto* from = static_cast<const std::byte*>(weight);
  const int64_t size = graph::size_bytes(product.weight.dtype());
  const int64_t in = product.is_conv ? product.weight.dim(1) : length;
  const int64_t area = length / in;
  tables_.words = (run_length * size + kWord - 1) / kWord;
  const int64_t padded = round_up(tables_.channels, kVector);
  const int64_t packed_bytes = tables_.runs * tables_.words * kWord;
  tables_.weights = graph::Tensor(DType::U8, {padded * packed_bytes});
  tables_.starts.assign(static_cast<size_t>(padded), 0);
  tables_.biases.assign(static_cast<size_t>(padded), 0);
  tables_.multipliers.assign(static_cast<size_t>(padded), 1);
  const int64_t block_channels = tables_.block_vectors * kVector;
  for (int64_t c = 0; c < tables_.channels; ++c) {
    const auto channel = static_cast<size_t>(c);
    tables_.biases[channel] = product.bias.empty() ? 0.0F : product.bias[channel];
    tables_.multipliers[channel] = product.scales.empty() ? 1.0F : product.scales[channel];
    const int64_t first = c / block_channels * block_channels;
    const int64_t width = std::min(block_channels, padded - first);
    for (int64_t i = 0; i < length; ++i) {
      const std::byte* value = from + (c * length + i % in * area + i / in) * size;
      const int64_t byte = i % run_length * size;
      const int64_t word = i / run_length * tables_.words + byte / kWord;
      const int64_t place = first * packed_bytes + (word * width + c - first) * kWord;
      std::memcpy(tables_.weights.bytes() + place + byte % kWord, value, static_cast<size_t>(size));
      if (frame_.flip) {
        tables_.starts[channel] -= 128 * static_cast<int8_t>(*value);
      }
    }
  }
}

void DirectProduct::run(const std::byte* x,
                        const std::byte* residual,
                        std::byte* out,
                        std::byte* scratch) const {
  if (framed_) {
    for (int64_t n = 0; n < batch_; ++n) {
      frame_.fill(x + n * frame_.image_bytes(), scratch + n * image_step_);
    }
    x = scratch;
  }
  const int64_t block_channels = tables_.block_vectors * kVector;
  for (int64_t first = 0; first < tables_.channels; first += block_channels) {
    run_block(first, x, residual, out);
  }
}

/// A block's weights stay in the cache while all pixels pass.
void DirectProduct::run_block(int64_t first,
                              const std::byte* x,
                              const std::byte* residual,
                              std::byte* out) const {
  const int64_t vectors =
      std::min(tables_.block_vectors, (tables_.channels - first + kVector - 1) / kVector);
  const int64_t most = most_pixels(vectors);
  const int64_t tiles = (pixels_ + most - 1) / most;
  TileCall call;
  call.first_channel = first;
  call.weights = tables_.weights.bytes() + first * tables_.runs * tables_.words * kWord;
  int64_t place = first;
  for (int64_t n = 0; n < batch_; ++n) {
    for (int64_t line = 0; line < lines_; ++line) {
      const std::byte* from = x + n * image_step_ + line * line_step_;
      // Of nearly equal width: a narrow tile at the end would take almost as long as a wide one.
      int64_t pixel = 0;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t width = (pixels_ - pixel + tiles - tile - 1) / (tiles - tile);
        call.x = from + pixel * tables_.pixel_step;
        call.residual =
            residual == nullptr ? nullptr : residual + place * graph::size_bytes(tables_.residual);
        call.out = out + place * tables_.end.value_bytes();
        tile_for(tables_.floats, width, vectors)(tables_, call);
        pixel += width;
        place += width * tables_.channels;
      }
    }
  }
}

}  // namespace coppice::runtime::onednn
