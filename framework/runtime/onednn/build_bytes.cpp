#include <algorithm>
#include <array>

#include "runtime/onednn/builders.h"
#include "runtime/onednn/byte_loops.h"
#include "runtime/onednn/direct_bytes.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;
using graph::DType;

constexpr int64_t kBlock = 512;  // floats that pass through the first-level cache at a time

int64_t count_of(const memory::dims& dims) {
  int64_t count = 1;
  for (const int64_t dimension : dims) {
    count *= dimension;
  }
  return count;
}

}  // namespace

void build(PlanBuilder& plan, const Quantise& quantise) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const size_t source = plan.in_layout(name, channels_last(x.dims, DType::F32));
  const memory::desc desc = channels_last(x.dims, plan.stage().dtype);
  const size_t target = plan.new_buffer(desc);
  const int64_t count = count_of(x.dims);
  const bool is_signed = plan.stage().dtype == DType::I8;
  const float scale = quantise.scale;
  const auto loop = quantises_directly(scale) ? quantise_directly : quantise_floats;
  plan.add_loop(
      [=](Buffers buffers) {
        const auto* values = reinterpret_cast<const float*>(buffers[source]);
        loop(values, scale, is_signed, count, buffers[target]);
      },
      std::array{source, target});
  plan.define(target, desc);
}

void build(PlanBuilder& plan, const ByteAdd& add) {
  const std::string& left = plan.stage().inputs[0];
  const std::string& right = plan.stage().inputs[1];
  const memory::dims dims = plan.value(left).dims;
  const bool a_signed = plan.value(left).dtype == DType::I8;
  const bool b_signed = plan.value(right).dtype == DType::I8;
  const bool is_signed = plan.stage().dtype == DType::I8;
  const size_t a = plan.in_layout(left, channels_last(dims, plan.value(left).dtype));
  const size_t b = plan.in_layout(right, channels_last(dims, plan.value(right).dtype));
  const memory::desc desc = channels_last(dims, plan.stage().dtype);
  const size_t target = plan.new_buffer(desc);
  const int64_t count = count_of(dims);
  const WeightedSum sum{add.scale_a, add.scale_b, add.relu};
  if (quantises_directly(add.scale)) {
    const ByteSum direct{sum, add.scale, a_signed, b_signed, is_signed};
    plan.add_loop(
        [=](Buffers buffers) {
          add_directly(direct, buffers[a], buffers[b], count, buffers[target]);
        },
        std::array{a, b, target});
    plan.define(target, desc);
    return;
  }
  plan.add_loop(
      [=](Buffers buffers) {
        std::array<float, kBlock> x{};
        std::array<float, kBlock> y{};
        for (int64_t i = 0; i < count; i += kBlock) {
          const int64_t size = std::min(kBlock, count - i);
          bytes_to_floats(buffers[a] + i, a_signed, size, x.data());
          bytes_to_floats(buffers[b] + i, b_signed, size, y.data());
          add_floats(sum, x.data(), y.data(), size, x.data());
          quantise_floats(x.data(), add.scale, is_signed, size, buffers[target] + i);
        }
      },
      std::array{a, b, target});
  plan.define(target, desc);
}

void build(PlanBuilder& plan, const ByteAverage& average) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const size_t source = plan.in_layout(name, channels_last(x.dims, x.dtype));
  const DType dtype = plan.stage().dtype;
  const memory::desc desc = plain(plan.dims(plan.stage().shape), dtype);
  const size_t target = plan.new_buffer(desc);
  const int64_t batch = x.dims[0];
  const int64_t channels = x.dims[1];
  const int64_t pixels = x.dims[2] * x.dims[3];
  const bool is_signed = x.dtype == DType::I8;
  const float multiplier = average.multiplier;
  plan.add_loop(
      [=](Buffers buffers) {
        std::array<int32_t, kSumChannels> sums{};
        std::array<float, kSumChannels> means{};
        for (int64_t n = 0; n < batch; ++n) {
          for (int64_t c = 0; c < channels; c += kSumChannels) {
            const int64_t size = std::min(kSumChannels, channels - c);
            const std::byte* image = buffers[source] + n * pixels * channels + c;
            sum_pixels(image, is_signed, pixels, channels, size, sums.data());
            const int64_t place = n * channels + c;
            float* out = dtype == DType::F32 ? reinterpret_cast<float*>(buffers[target]) + place
                                             : means.data();
            for (int64_t i = 0; i < size; ++i) {
              out[i] = static_cast<float>(sums[static_cast<size_t>(i)]) * multiplier;
            }
            if (dtype != DType::F32) {
              quantise_floats(out, 1.0F, dtype == DType::I8, size, buffers[target] + place);
            }
          }
        }
      },
      std::array{source, target});
  plan.define(target, desc);
}

}  // namespace coppice::runtime::onednn
