#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/onednn/builders.h"
#include "runtime/onednn/byte_loops.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

/// The part of each window that lies inside the image, along one dimension.
RowWindows windows_along(const graph::PoolAttributes& pool,
                         size_t dimension,
                         int64_t size,
                         int64_t count) {
  RowWindows windows;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t start = i * pool.stride[dimension] - pool.pads[dimension];
    windows.first.push_back(std::max<int64_t>(start, 0));
    windows.last.push_back(std::min(start + pool.kernel[dimension], size));
  }
  return windows;
}

}  // namespace

/// oneDNN pools 8-bit values with few channels three times slower than floats. Here the rows of a
/// window are folded first, which is one long loop however few channels there are, then the pixels
/// of the folded row.
void build(PlanBuilder& plan, const ByteMaxPool& pool) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const dnnl::memory::dims out = plan.dims(plan.stage().shape);
  const size_t source = plan.in_layout(name, channels_last(x.dims, x.dtype));
  const size_t target = plan.new_buffer(channels_last(out, x.dtype));
  const int64_t channels = x.dims[1];
  const int64_t row_bytes = x.dims[3] * channels;
  const int64_t out_row_bytes = out[3] * channels;
  const size_t folded = plan.new_buffer(plain({row_bytes + kRowSlack}, x.dtype));
  const size_t result = plan.new_buffer(plain({out_row_bytes + kRowSlack}, x.dtype));
  const RowWindows rows = windows_along(pool.attributes, 0, x.dims[2], out[2]);
  const RowWindows pixels = windows_along(pool.attributes, 1, x.dims[3], out[3]);
  const int64_t image_bytes = x.dims[2] * row_bytes;
  const int64_t batch = x.dims[0];
  const bool is_signed = x.dtype == graph::DType::I8;
  plan.add_loop(
      [=](Buffers buffers) {
        std::byte* to = buffers[target];
        for (int64_t n = 0; n < batch; ++n) {
          for (size_t h = 0; h < rows.first.size(); ++h) {
            const std::byte* from = buffers[source] + n * image_bytes + rows.first[h] * row_bytes;
            const int64_t count = rows.last[h] - rows.first[h];
            largest_of_rows(from, is_signed, count, row_bytes, row_bytes, buffers[folded]);
            largest_of_pixels(buffers[folded], is_signed, pixels, channels, buffers[result]);
            std::memcpy(to, buffers[result], static_cast<size_t>(out_row_bytes));
            to += out_row_bytes;
          }
        }
      },
      std::array{source, target, folded, result});
  plan.define(target, channels_last(out, x.dtype));
}

}  // namespace coppice::runtime::onednn
