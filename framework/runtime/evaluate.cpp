#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "runtime/engine.h"

namespace coppice::runtime {

namespace {

using core::Error;
using core::ErrorKind;
using graph::Tensor;

/// Samples [first, first + count), sharing the bytes.
Tensor slice(const Tensor& samples, int64_t first, int64_t count) {
  graph::Shape shape = samples.shape();
  const int64_t bytes_per_sample = samples.bytes_size() / std::max<int64_t>(shape[0], 1);
  shape[0] = count;
  std::byte* data = samples.shared_bytes().get() + first * bytes_per_sample;
  return Tensor(samples.dtype(), shape, std::shared_ptr<std::byte>(samples.shared_bytes(), data));
}

void check_rows(const Tensor& logits, std::string_view what) {
  if (logits.shape().size() != 2 || logits.dim(1) < 1 || logits.dtype() != graph::DType::F32) {
    throw Error(ErrorKind::InvalidArgument,
                fmt::format("{} needs f32 [n, classes], not {} {}",
                            what,
                            graph::to_string(logits.dtype()),
                            graph::to_string(logits.shape())));
  }
}

}  // namespace

Tensor run_all(Engine& engine, const Tensor& samples, int64_t max_batch) {
  const graph::Graph& graph = engine.model().graph;
  if (max_batch < 1 || samples.shape().empty()) {
    throw Error(ErrorKind::InvalidArgument,
                fmt::format("run_all needs samples [n, …] and a batch of at least 1, not {} and {}",
                            graph::to_string(samples.shape()),
                            max_batch));
  }
  std::vector<Tensor> results;  // every output of all samples: an engine writes all of them
  for (const std::string& name : graph.outputs) {
    const graph::Node& node = graph.at(name);
    graph::Shape shape = node.shape;
    shape.at(0) = samples.dim(0);
    results.emplace_back(node.dtype, shape);
  }
  std::vector<Tensor> outputs(results.size());
  for (int64_t first = 0; first < samples.dim(0); first += max_batch) {
    const int64_t count = std::min(max_batch, samples.dim(0) - first);
    const std::array<Tensor, 1> inputs{slice(samples, first, count)};
    std::transform(results.begin(), results.end(), outputs.begin(), [&](const Tensor& result) {
      return slice(result, first, count);
    });
    engine.run(inputs, outputs);
  }
  return results.at(0);
}

std::vector<int64_t> argmax_rows(const Tensor& logits) {
  check_rows(logits, "argmax_rows");
  const auto values = logits.data<float>();
  const int64_t classes = logits.dim(1);
  std::vector<int64_t> result(static_cast<size_t>(logits.dim(0)));
  for (int64_t row = 0; row < logits.dim(0); ++row) {
    const auto begin = values.begin() + row * classes;
    result[static_cast<size_t>(row)] = std::max_element(begin, begin + classes) - begin;
  }
  return result;
}

Tensor softmax_rows(const Tensor& logits) {
  check_rows(logits, "softmax_rows");
  Tensor result = logits.clone();
  const auto values = result.data<float>();
  const int64_t classes = logits.dim(1);
  for (int64_t row = 0; row < logits.dim(0); ++row) {
    const auto begin = values.begin() + row * classes;
    const float highest = *std::max_element(begin, begin + classes);
    double sum = 0;
    for (auto it = begin; it != begin + classes; ++it) {
      *it = std::exp(*it - highest);
      sum += *it;
    }
    for (auto it = begin; it != begin + classes; ++it) {
      *it = static_cast<float>(*it / sum);
    }
  }
  return result;
}

}  // namespace coppice::runtime
