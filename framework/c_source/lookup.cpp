#include "c_source/lookup.h"

#include <algorithm>
#include <vector>

#include "runtime/reference/kernel.h"

namespace coppice::c_source {

namespace {

using graph::DType;
using graph::Tensor;

constexpr int64_t kValues = 256;
constexpr int64_t kLargestTable = 4096;  // bytes

bool is_byte(DType dtype) {
  return dtype == DType::U8 || dtype == DType::I8;
}

/// Whether a constant differs along dimensions other than the channel's. Constants align at the
/// last dimension of a shape of `rank`.
bool spreads_over_channels(const Tensor& constant, size_t rank) {
  const graph::Shape& shape = constant.shape();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1 && rank - shape.size() + d != 1) {
      return false;
    }
  }
  return true;
}

/// Every value of the 8-bit type, once for each channel, as samples [256, channels, 1, …].
Tensor every_value(DType dtype, size_t rank, int64_t channels) {
  graph::Shape shape(rank, 1);
  shape[0] = kValues;
  shape[1] = channels;
  Tensor values(dtype, shape);
  for (int64_t i = 0; i < values.size(); ++i) {
    values.bytes()[i] = static_cast<std::byte>(i / channels);
  }
  return values;
}

Tensor computed(const ElementLoop& loop, const Tensor& source) {
  std::vector<Tensor> results;
  for (const ElementNode& one : loop.nodes) {
    std::vector<runtime::reference::View> views;
    for (const Operand& operand : one.operands) {
      views.push_back(runtime::reference::view_of(
          operand.from == Operand::From::Constant ? operand.constant
          : operand.from == Operand::From::Source ? source
                                                  : results[operand.index]));
    }
    std::vector<const runtime::reference::View*> operands;
    for (const auto& view : views) {
      operands.push_back(&view);
    }
    results.emplace_back(one.node->dtype, source.shape());
    runtime::reference::run_node(*one.node, operands, runtime::reference::view_of(results.back()));
  }
  return results.back();
}

}  // namespace

std::optional<Lookup> make_lookup(const ElementLoop& loop, const graph::Node& source) {
  const graph::Node& last = *loop.nodes.back().node;
  if (loop.sources.size() != 1 || !is_byte(source.dtype) || !is_byte(last.dtype) ||
      source.shape != last.shape) {
    return std::nullopt;
  }
  int64_t channels = 1;
  for (const ElementNode& one : loop.nodes) {
    const bool along_axis = one.node->op == graph::Op::QuantizeLinear ||
                            one.node->op == graph::Op::DequantizeLinear ||
                            one.node->op == graph::Op::BatchNorm;
    for (const Operand& operand : one.operands) {
      if (operand.from != Operand::From::Constant || operand.constant.size() == 1) {
        continue;
      }
      if (along_axis || !spreads_over_channels(operand.constant, last.shape.size())) {
        return std::nullopt;
      }
      channels = last.shape[1];
    }
  }
  if (channels * kValues > kLargestTable) {
    return std::nullopt;
  }
  const Tensor values = computed(loop, every_value(source.dtype, last.shape.size(), channels));
  Lookup result{Tensor(last.dtype, {channels, kValues}), channels};
  for (int64_t value = 0; value < kValues; ++value) {
    for (int64_t c = 0; c < channels; ++c) {
      result.table.bytes()[c * kValues + value] = values.bytes()[value * channels + c];
    }
  }
  return result;
}

}  // namespace coppice::c_source
