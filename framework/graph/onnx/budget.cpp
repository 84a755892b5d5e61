#include "graph/onnx/budget.h"

#include "graph/onnx/reader.h"

namespace coppice::graph {

namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;
constexpr int64_t kLeastBudget = 64 * kMebibyte;
constexpr int64_t kTimesTheFile = 4;  // weights transposed, cut and quantised, each once

}  // namespace

Budget::Budget(int64_t file_bytes)
    : limit_(kLeastBudget + kTimesTheFile * file_bytes), left_(limit_) {}

void Budget::add_file(int64_t bytes) {
  limit_ += kTimesTheFile * bytes;
  left_ += kTimesTheFile * bytes;
}

bool Budget::take(int64_t bytes) {
  if (bytes > left_) {
    return false;
  }
  left_ -= bytes;
  return true;
}

int64_t Budget::limit_mib() const {
  return limit_ / kMebibyte;
}

Tensor Budget::tensor(const onnx::NodeProto& node, DType dtype, Shape shape) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(element_count(shape), size_bytes(dtype), &bytes) || !take(bytes)) {
    unsupported_node(node,
                     fmt::format("constant {}: with it this file's constants take more than {} MiB",
                                 to_string(shape),
                                 limit_mib()));
  }
  return {dtype, std::move(shape)};
}

}  // namespace coppice::graph
