// libtorch, every backend, and what other programs exported: the same numbers.

#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "compress/quantise.h"
#include "core/rng.h"
#include "graph/models.h"
#include "runtime/engine.h"
#include "runtime/models.h"
#include "runtime/op_cases.h"
#include "runtime/pytorch_networks.h"
#include "train/integer_network.h"
#include "train/network.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

using graph::Tensor;
using runtime::testing::exported_names;
using runtime::testing::load_exported;

constexpr int64_t kInputs = 64;

Tensor random_bytes(const graph::Shape& sample, int64_t count, uint64_t seed) {
  graph::Shape shape = sample;
  shape.insert(shape.begin(), count);
  core::Rng rng(seed);
  Tensor values(graph::DType::U8, shape);
  for (uint8_t& value : values.data<uint8_t>()) {
    value = static_cast<uint8_t>(rng.below(256));
  }
  return values;
}

/// Of the first output: the largest difference, relative to the largest value.
double relative(const Tensor& a, const Tensor& b) {
  double most = 0;
  double largest = 0;
  for (size_t i = 0; i < b.data<float>().size(); ++i) {
    most = std::max(most, std::abs(double{a.data<float>()[i]} - double{b.data<float>()[i]}));
    largest = std::max(largest, std::abs(double{b.data<float>()[i]}));
  }
  return most / largest;
}

Tensor by_engine(const graph::Model& model, const Tensor& inputs, const std::string& backend) {
  const auto engine = runtime::build_engine(model, {.backend = backend, .max_batch = kInputs});
  return runtime::run_all(*engine, inputs, kInputs);
}

class ZooAgreement : public ::testing::TestWithParam<std::string> {
 protected:
  ZooAgreement() {
    auto [options, input] = graph::testing::zoo_example(GetParam());
    inputs_ = random_bytes(input.sample_shape, kInputs, 3);
    Network network(graph::build_model(options, input, 4));
    for (int i = 0; i < 5; ++i) {  // statistics that are not the identity
      network.forward(to_aten(inputs_), {.training = true});
    }
    model_ = network.to_model();
  }

  Tensor inputs_;
  graph::Model model_;
};

INSTANTIATE_TEST_SUITE_P(Zoo, ZooAgreement, ::testing::ValuesIn(graph::zoo().names()));

TEST_P(ZooAgreement, EveryBackendGivesLibtorchsNumbers) {
  Network network(model_);
  const at::Tensor logits = network.forward(to_aten(inputs_)).at(model_.graph.outputs[0]);
  const Tensor expected = to_graph(logits.detach().contiguous());
  for (const std::string& backend : runtime::backends()) {
    EXPECT_LT(relative(by_engine(model_, inputs_, backend), expected), 1e-4) << backend;
  }
}

/// Byte for byte: what is left after the last layer's scale, in float, is a rounding of that.
TEST_P(ZooAgreement, LibtorchAndEveryBackendGiveTheReferencesIntegers) {
  for (const bool round_sums : {false, true}) {
    const graph::Model quantised = compress::quantise(model_, inputs_, {.round_sums = round_sums});
    const Tensor expected = by_engine(quantised, inputs_, "reference");
    const at::Tensor simulated = IntegerNetwork(quantised).logits(to_aten(inputs_));
    EXPECT_LT(relative(to_graph(simulated.contiguous()), expected), 1e-6)
        << "libtorch" << (round_sums ? ", sums rounded" : "");
    for (const std::string& backend : runtime::backends()) {
      EXPECT_LT(relative(by_engine(quantised, inputs_, backend), expected), 1e-6)
          << backend << (round_sums ? ", sums rounded" : "");
    }
  }
}

class ImportedAgreement : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(PyTorch,
                         ImportedAgreement,
                         ::testing::ValuesIn(exported_names()),
                         [](const auto& test) { return test.param; });

/// What PyTorch exported, trained on by libtorch: it begins with the same function.
TEST_P(ImportedAgreement, TrainingBeginsWithPyTorchsNumbers) {
  const auto exported = load_exported(GetParam());
  Network network(exported.model);
  const at::Tensor output =
      network.forward(to_aten(exported.input)).at(exported.model.graph.outputs[0]);
  const double tolerance = GetParam() == "quantised" ? 0.01 : 1e-5;
  EXPECT_LT(relative(to_graph(output.detach().contiguous()), exported.output), tolerance);
}

/// Single ops with unusual attributes: libtorch and every backend.
TEST(OpAgreement, EveryWayGivesTheReferencesNumbers) {
  const std::set<std::string> refused_by_onednn{"conv_transpose_dilated", "column_spread"};
  for (const runtime::testing::OpCase& one : runtime::testing::op_cases()) {
    const std::string& output = one.model.graph.outputs[0];
    const Tensor expected = runtime::testing::run_model(one.model, one.inputs, "reference")[0];
    std::map<std::string, at::Tensor> inputs;
    for (size_t i = 0; i < one.inputs.size(); ++i) {
      inputs["x" + std::to_string(i)] = to_aten(one.inputs[i]);
    }
    Network network(one.model);
    const at::Tensor trained = network.forward(inputs).at(output).detach();
    EXPECT_LT(relative(to_graph(trained), expected), 1e-5) << one.name << " by libtorch";
    for (const std::string& backend : runtime::backends()) {
      if (backend == "onednn" && refused_by_onednn.contains(one.name)) {
        continue;  // the engine takes another backend
      }
      const Tensor run = runtime::testing::run_model(one.model, one.inputs, backend)[0];
      EXPECT_LT(relative(run, expected), 1e-5) << one.name << " by " << backend;
    }
  }
}

}  // namespace

}  // namespace coppice::train
