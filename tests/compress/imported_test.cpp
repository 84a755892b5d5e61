// Networks that PyTorch exported (tests/runtime/make_pytorch_networks.py), pruned to half,
// quantised, exported and imported again, like our own.

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/prune.h"
#include "compress/quantise.h"
#include "core/error.h"
#include "core/rng.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "runtime/engine.h"

namespace coppice::compress {

namespace {

using graph::Op;
using graph::Tensor;

constexpr int64_t kSamples = 32;

graph::Model imported(const std::string& name) {
  return graph::load_onnx(std::filesystem::path(PYTORCH_NETWORKS) / (name + ".onnx"));
}

Tensor samples_of(const graph::Model& model) {
  graph::Shape shape = model.graph.inputs().at(0)->shape;
  shape[0] = kSamples;
  core::Rng rng(5);
  Tensor samples(graph::DType::F32, shape);
  for (float& value : samples.data<float>()) {
    value = static_cast<float>(rng.uniform(0, 1));
  }
  return samples;
}

Tensor imported_outputs(const graph::Model& model,
                        const Tensor& samples,
                        const std::string& backend) {
  const auto engine = runtime::build_engine(model, {.backend = backend, .max_batch = kSamples});
  return runtime::run_all(*engine, samples, kSamples);
}

/// Root of the mean squared difference, relative to that of b from its mean.
double noise(const Tensor& a, const Tensor& b) {
  const auto x = a.data<float>();
  const auto y = b.data<float>();
  double mean = 0;
  for (const float value : y) {
    mean += double{value} / static_cast<double>(y.size());
  }
  double error = 0;
  double spread = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    error += (double{x[i]} - double{y[i]}) * (double{x[i]} - double{y[i]});
    spread += (double{y[i]} - mean) * (double{y[i]} - mean);
  }
  return std::sqrt(error / spread);
}

class ImportedNetwork : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(PyTorch,
                         ImportedNetwork,
                         ::testing::Values("classifier", "unet", "mlp", "mlp13", "small"),
                         [](const auto& test) { return test.param; });

TEST_P(ImportedNetwork, IsPrunedQuantisedAndExported) {
  const graph::Model model = imported(GetParam());
  PruneReport report;
  const graph::Model pruned = prune(model, {.macs_ratio = 0.5, .min_channels = 1}, &report);
  EXPECT_EQ(report.macs_before, graph::cost(model).macs);
  EXPECT_LE(2 * graph::cost(pruned).macs, graph::cost(model).macs);
  const Tensor samples = samples_of(model);
  const Tensor expected = imported_outputs(pruned, samples, "reference");

  const graph::Model quantised = quantise(pruned, samples, {});
  const auto bytes = std::ranges::count_if(
      quantised.graph.nodes, [](const graph::Node& node) { return node.op == Op::QuantizeLinear; });
  EXPECT_GT(bytes, 0);
  EXPECT_LT(noise(imported_outputs(quantised, samples, "reference"), expected), 0.1);

  const graph::Model back = graph::from_onnx(graph::to_onnx(quantised));
  EXPECT_EQ(graph::content_hash(back), graph::content_hash(quantised));
  for (const std::string& backend : runtime::backends()) {
    const Tensor before = imported_outputs(quantised, samples, backend);
    const Tensor after = imported_outputs(back, samples, backend);
    EXPECT_TRUE(std::ranges::equal(before.data<float>(), after.data<float>())) << backend;
    EXPECT_LT(noise(after, expected), 0.1) << backend;
  }
}

/// What pruning can't cut keeps its function, or says why.
TEST(ImportedNetworks, OfOtherKindsAreCutOrRefusedByName) {
  for (const char* name : {"attention", "encoder", "gru", "lstm", "shapes", "transformer"}) {
    const graph::Model model = imported(name);
    try {
      const graph::Model pruned = prune(model, {.macs_ratio = 0.9, .min_channels = 1});
      graph::verify(pruned);
      EXPECT_LE(graph::cost(pruned).macs, 0.9 * static_cast<double>(graph::cost(model).macs));
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument) << name << ": " << error.what();
    }
    const Tensor samples = samples_of(model);
    const Tensor expected = imported_outputs(model, samples, "reference");
    const graph::Model quantised = quantise(model, samples, {});
    EXPECT_LT(noise(imported_outputs(quantised, samples, "reference"), expected), 0.2) << name;
  }
}

}  // namespace

}  // namespace coppice::compress
