#include "runtime/byte_table.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::DType;
using graph::Tensor;

constexpr int64_t kValues = 256;
constexpr size_t kSignBit = 0x80;

/// Elements between neighbours of [batch, channels, pixels].
struct Strides {
  int64_t channel = 1;
  int64_t pixel = 1;
};

Strides strides_of(const graph::Shape& shape, Form form) {
  const int64_t pixels = sample_size(shape) / shape[1];
  return form == Form::Native && is_transposed(shape) ? Strides{1, shape[1]} : Strides{pixels, 1};
}

struct TableLoop {
  int64_t channels = 1;
  int64_t pixels = 1;
  Strides from;
  Strides to;
  bool per_channel = false;

  template <class T>
  void run(const T* table, const uint8_t* x, T* out, int64_t batch) const {
    const int64_t sample = channels * pixels;
    if (!per_channel && from.pixel == to.pixel) {
      for (int64_t i = 0; i < batch * sample; ++i) {
        out[i] = table[x[i]];
      }
      return;
    }
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t c = 0; c < channels; ++c) {
        const T* row = table + (per_channel ? c * kValues : 0);
        const uint8_t* source = x + n * sample + c * from.channel;
        T* target = out + n * sample + c * to.channel;
        for (int64_t p = 0; p < pixels; ++p) {
          target[p * to.pixel] = row[source[p * from.pixel]];
        }
      }
    }
  }
};

/// The table for bytes in this form, with results in the native form.
Tensor native_table(const Tensor& table, DType source, Form form) {
  Tensor result = table.clone();
  const size_t turn = source == DType::U8 && form == Form::Native ? kSignBit : 0;
  const auto fill = [&]<class T>(std::span<const T> from, std::span<T> to, T flip) {
    for (size_t i = 0; i < to.size(); ++i) {
      if constexpr (std::is_same_v<T, uint8_t>) {
        to[i] = static_cast<T>(from[i ^ turn] ^ flip);
      } else {
        to[i] = from[i ^ turn];
      }
    }
  };
  switch (table.dtype()) {
    case DType::F32:
      fill(table.data<float>(), result.data<float>(), 0.0F);
      break;
    case DType::I8:
      fill(table.data<int8_t>(), result.data<int8_t>(), int8_t{0});
      break;
    default:
      fill(table.data<uint8_t>(), result.data<uint8_t>(), static_cast<uint8_t>(kSignBit));
  }
  return result;
}

}  // namespace

/// Element-wise ops over an 8-bit value, from the nearest one above.
std::optional<Stage> match_table(ModelIndex& index, const graph::Node& last) {
  std::optional<ByteTable> chain = match_byte_table(index, last);
  if (!chain) {
    return std::nullopt;
  }
  std::vector<std::string> inputs{chain->source};
  return Stage{&last, std::move(inputs), [chain = *std::move(chain), &last](Builder& builder) {
                 if (chain.identity) {
                   builder.alias(last, chain.source);
                   return true;
                 }
                 const auto [x, form] = builder.as_it_lies(chain.source);
                 const size_t y = builder.new_buffer(last);
                 TableLoop loop;
                 loop.channels = last.shape[1];
                 loop.pixels = sample_size(last.shape) / loop.channels;
                 loop.from = strides_of(last.shape, form);
                 loop.to = strides_of(last.shape, Form::Native);
                 loop.per_channel = chain.table.dim(0) > 1;
                 const DType source = builder.node(chain.source).dtype;
                 builder.add_loop(
                     "table",
                     [loop,
                      x = x,
                      y,
                      memory = builder.memory(),
                      is_float = last.dtype == DType::F32,
                      table = native_table(chain.table, source, form)](int64_t batch) {
                       const auto* bytes = memory->at<uint8_t>(x);
                       if (is_float) {
                         loop.run(table.data<float>().data(), bytes, memory->at<float>(y), batch);
                       } else {
                         loop.run(reinterpret_cast<const uint8_t*>(table.bytes()),
                                  bytes,
                                  memory->at<uint8_t>(y),
                                  batch);
                       }
                     },
                     {x, y});
                 builder.define(last, Form::Native, y);
                 return true;
               }};
}

}  // namespace coppice::runtime::xnnpack
