#include "runtime/onednn/build_direct.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "runtime/onednn/direct_depthwise.h"
#include "runtime/onednn/direct_float_depthwise.h"
#include "runtime/onednn/direct_product.h"
#include "runtime/onednn/direct_winograd.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;
using graph::DType;

/// Above these oneDNN wins: its calls cost little by then, and where the processor has AMX, bytes
/// are multiplied three times faster. Of floats, products of pixels alone (1x1) stay faster here.
constexpr int64_t kMostMacs = 600'000;
constexpr int64_t kMostPixelMacs = 8'000'000;
constexpr int64_t kMostRows = 4;

bool is_small(const Product& product, int64_t macs) {
  const graph::ConvAttributes& conv = product.conv;
  const bool is_float = product.weight.dtype() == DType::F32;
  const bool pixels = conv.kernel[0] == 1 && conv.kernel[1] == 1;
  return macs <= (is_float && pixels ? kMostPixelMacs : kMostMacs);
}

std::string kernel_label(std::string_view what, const Product& product) {
  return std::string(what) +
         (product.weight.dtype() == DType::F32 ? " coppice:avx512" : " coppice:avx512_vnni");
}

template <class Run>
void add_kernel(PlanBuilder& plan,
                const Run& run,
                std::vector<size_t> used,
                const memory::desc& out,
                int64_t scratch_bytes,
                std::string name) {
  const size_t target = plan.new_buffer(out);
  const size_t scratch = plan.new_buffer(plain({std::max<int64_t>(scratch_bytes, 1)}, DType::U8));
  used.push_back(target);
  used.push_back(scratch);
  plan.add_loop([=](Buffers buffers) { run(buffers, buffers[target], buffers[scratch]); },
                used,
                std::move(name));
  plan.define(target, out);
}

/// `kernel`: a DirectProduct or DirectWinograd.
template <class Kernel>
void add_product(PlanBuilder& plan,
                 const std::shared_ptr<const Kernel>& kernel,
                 size_t source,
                 std::optional<size_t> residual,
                 const memory::desc& out,
                 std::string name) {
  std::vector<size_t> used{source};
  if (residual) {
    used.push_back(*residual);
  }
  add_kernel(
      plan,
      [=](Buffers buffers, std::byte* to, std::byte* scratch) {
        kernel->run(buffers[source], residual ? buffers[*residual] : nullptr, to, scratch);
      },
      std::move(used),
      out,
      kernel->scratch_bytes(),
      std::move(name));
}

/// The buffer of what the layer adds, in the layout of its output.
std::optional<size_t> residual_of(PlanBuilder& plan, const Product& product) {
  if (!product.has_residual) {
    return std::nullopt;
  }
  const std::string& added = plan.stage().inputs[1];
  return plan.in_layout(added,
                        channels_last(plan.dims(plan.stage().shape), plan.value(added).dtype));
}

void build_float_depthwise(PlanBuilder& plan, const Product& product) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const memory::dims dims = plan.dims(plan.stage().shape);
  const memory::desc out = channels_last(dims, DType::F32);
  const auto kernel = std::make_shared<const DirectFloatDepthwise>(product, x.dims, dims);
  const size_t source = plan.in_layout(name, channels_last(x.dims, DType::F32));
  const size_t target = plan.new_buffer(out);
  plan.add_loop(
      [=](Buffers buffers) {
        kernel->run(reinterpret_cast<const float*>(buffers[source]),
                    reinterpret_cast<float*>(buffers[target]));
      },
      std::array{source, target},
      kernel_label("convolution", product));
  plan.define(target, out);
}

}  // namespace

bool build_direct_depthwise(PlanBuilder& plan, const Product& product) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const DType dtype = plan.stage().dtype;
  if (plan.threads() == 1 && DirectFloatDepthwise::takes(product, x.dtype, dtype)) {
    build_float_depthwise(plan, product);
    return true;
  }
  if (plan.threads() > 1 || !DirectDepthwise::takes(product, x.dtype, dtype)) {
    return false;
  }
  const memory::dims out = plan.dims(plan.stage().shape);
  const auto kernel = std::make_shared<const DirectDepthwise>(product, x.dims, x.dtype, out, dtype);
  const size_t source = plan.in_layout(name, channels_last(x.dims, x.dtype));
  add_kernel(
      plan,
      [=](Buffers buffers, std::byte* to, std::byte* scratch) {
        kernel->run(buffers[source], to, scratch);
      },
      {source},
      channels_last(out, dtype),
      kernel->scratch_bytes(),
      kernel_label("convolution", product));
  return true;
}

bool build_winograd(PlanBuilder& plan, const Product& product) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const memory::dims out = plan.dims(plan.stage().shape);
  if (plan.threads() > 1 ||
      !DirectWinograd::pays(product, x.dims, x.dtype, out, plan.stage().dtype)) {
    return false;
  }
  const size_t source = plan.in_layout(name, channels_last(x.dims, x.dtype));
  add_product(plan,
              std::make_shared<const DirectWinograd>(product, x.dims, out),
              source,
              residual_of(plan, product),
              channels_last(out, DType::F32),
              kernel_label("convolution", product) + "_winograd");
  return true;
}

bool build_direct_conv(PlanBuilder& plan, const Product& product) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const DType dtype = plan.stage().dtype;
  const memory::dims out = plan.dims(plan.stage().shape);
  const int64_t outputs = std::accumulate(out.begin(), out.end(), int64_t{1}, std::multiplies<>());
  const int64_t macs = outputs / out[1] * product.weight.size();
  if (plan.threads() > 1 || !is_small(product, macs) ||
      !DirectProduct::takes(product, x.dtype, dtype)) {
    return false;
  }
  std::optional<DType> added;
  if (product.has_residual) {
    added = plan.value(plan.stage().inputs[1]).dtype;
  }
  const size_t source = plan.in_layout(name, channels_last(x.dims, x.dtype));
  add_product(plan,
              std::make_shared<const DirectProduct>(product, x.dims, x.dtype, out, dtype, added),
              source,
              residual_of(plan, product),
              channels_last(out, dtype),
              kernel_label("convolution", product));
  return true;
}

bool build_direct_rows(PlanBuilder& plan,
                       const Product& product,
                       size_t source,
                       const void* weight) {
  const DType x_dtype = plan.value(plan.stage().inputs[0]).dtype;
  const DType dtype = plan.stage().dtype;
  const memory::dims out = plan.dims(plan.stage().shape);
  if (plan.threads() > 1 || out[0] > kMostRows || product.has_residual ||
      !DirectProduct::takes(product, x_dtype, dtype)) {
    return false;
  }
  add_product(plan,
              std::make_shared<const DirectProduct>(product, weight, out[0], x_dtype, dtype),
              source,
              std::nullopt,
              plain(out, dtype),
              kernel_label("inner_product", product));
  return true;
}

}  // namespace coppice::runtime::onednn
