#include <array>

#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;
using graph::DType;

/// Elements between neighbours of [batch, channels, pixels].
struct Strides {
  int64_t batch = 0;
  int64_t channel = 0;
  int64_t pixel = 0;
};

struct LookupLoop {
  int64_t batch = 1;
  int64_t channels = 1;
  int64_t pixels = 1;
  Strides from;
  Strides to;
  bool per_channel = false;

  template <class T>
  void run(const T* table, const uint8_t* x, T* out) const {
    if (!per_channel && from.channel == to.channel && from.pixel == to.pixel) {
      const int64_t count = batch * channels * pixels;
      for (int64_t i = 0; i < count; ++i) {
        out[i] = table[x[i]];
      }
      return;
    }
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t c = 0; c < channels; ++c) {
        const T* row = table + (per_channel ? c * 256 : 0);
        const uint8_t* source = x + n * from.batch + c * from.channel;
        T* target = out + n * to.batch + c * to.channel;
        for (int64_t p = 0; p < pixels; ++p) {
          target[p * to.pixel] = row[source[p * from.pixel]];
        }
      }
    }
  }
};

Strides strides_of(const memory::desc& desc) {
  const auto* strides = desc.data.format_desc.blocking.strides;
  return {strides[0], strides[1], desc.data.ndims > 2 ? strides[desc.data.ndims - 1] : 1};
}

}  // namespace

void build(PlanBuilder& plan, const Lookup& lookup) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  memory::desc from = x.desc;
  const memory::desc rows = plain(x.dims, x.dtype);
  const memory::desc image = channels_last(x.dims, x.dtype);
  if (x.is_flattened() || !(same_layout(from, image) || same_layout(from, rows))) {
    from = rows;
  }
  const DType dtype = plan.stage().dtype;
  const memory::desc to = channels_last(x.dims, dtype);
  const size_t source = plan.in_layout(name, from);
  const size_t target = plan.new_buffer(to);
  LookupLoop loop;
  loop.batch = x.dims[0];
  loop.channels = x.dims[1];
  for (size_t i = 2; i < x.dims.size(); ++i) {
    loop.pixels *= x.dims[i];
  }
  loop.from = strides_of(from);
  loop.to = strides_of(to);
  if (loop.channels == 1) {
    loop.from.channel = loop.to.channel = 1;
  }
  loop.per_channel = lookup.table.dim(0) > 1;
  const std::byte* table = lookup.table.bytes();
  plan.add_loop(
      [=](Buffers buffers) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(buffers[source]);
        if (dtype == DType::F32) {
          loop.run(reinterpret_cast<const float*>(table),
                   bytes,
                   reinterpret_cast<float*>(buffers[target]));
        } else {
          loop.run(table, bytes, buffers[target]);
        }
      },
      std::array{source, target});
  plan.define(target, to);
}

}  // namespace coppice::runtime::onednn
