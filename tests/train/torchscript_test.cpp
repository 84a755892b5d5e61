// Exported modules, loaded and run by Python's torch.jit.load.

#include "train/torchscript/torchscript.h"

#include <cmath>
#include <set>

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compress/quantise.h"
#include "core/files.h"
#include "graph/cost.h"
#include "graph/zoo.h"
#include "runtime/engine.h"
#include "runtime/models.h"
#include "runtime/op_cases.h"
#include "runtime/zoo_cases.h"
#include "system/program.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/tensor_bridge.h"
#include "train/torchscript/script.h"

namespace coppice::train {
namespace {

namespace fs = std::filesystem;
using graph::Model;
using graph::Op;
using graph::Tensor;
using nlohmann::json;
using runtime::testing::make_model;
using runtime::testing::make_node;
using runtime::testing::op_cases;
using runtime::testing::OpCase;
using runtime::testing::random_floats;
using runtime::testing::zoo_cases;
using runtime::testing::ZooCase;
using ::testing::HasSubstr;

constexpr int64_t kSamples = 3;

/// Writes models with inputs and the outputs they must have; Python looks at all of them at once.
class TorchScript : public ::testing::Test {
 protected:
  /// The outputs must be those of the "reference" backend.
  void add(const std::string& name,
           const Model& model,
           const std::vector<Tensor>& inputs,
           int64_t parameters) {
    add(name, model, inputs, runtime::testing::run_model(model, inputs, "reference"), parameters);
  }

  void add(const std::string& name,
           const Model& model,
           const std::vector<Tensor>& inputs,
           const std::vector<Tensor>& outputs,
           int64_t parameters) {
    const fs::path folder = folder_.path() / name;
    fs::create_directories(folder);
    save_torchscript(model, folder / "model.pt");
    const json described{{"inputs", write_all(folder, "input", inputs)},
                         {"outputs", write_all(folder, "output", outputs)},
                         {"class_names", model.metadata.class_names},
                         {"parameters", parameters}};
    core::write_file(folder / "case.json", described.dump());
  }

  void expect_all_equal() const {
    const auto outcome = coppice::testing::run_program(
        {PYTHON_WITH_TORCH, CHECK_TORCHSCRIPT, folder_.path().string()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.error;
  }

 private:
  /// STEM0.raw, STEM1.raw, …; what they hold.
  static json write_all(const fs::path& folder,
                        const std::string& stem,
                        const std::vector<Tensor>& tensors) {
    json ports = json::array();
    for (const Tensor& tensor : tensors) {
      core::write_file(folder / (stem + std::to_string(ports.size()) + ".raw"),
                       std::span(tensor.bytes(), static_cast<size_t>(tensor.bytes_size())));
      ports.push_back({{"dtype", graph::to_string(tensor.dtype())}, {"shape", tensor.shape()}});
    }
    return ports;
  }

  core::TemporaryFolder folder_;
};

TEST_F(TorchScript, EveryNetworkOfTheZooComputesTheSameInPython) {
  std::set<std::string> names;
  for (const ZooCase& one : zoo_cases()) {
    names.insert(one.options.name);
    const Model model = one.network();
    add(one.name, model, {one.samples(kSamples, 1)}, graph::cost(model).parameters);
  }
  EXPECT_THAT(graph::zoo().names(), ::testing::UnorderedElementsAreArray(names));
  expect_all_equal();
}

TEST_F(TorchScript, AQuantisedNetworkComputesWhatItsNodesSay) {
  for (const ZooCase& one : zoo_cases()) {
    const Model model = compress::quantise(one.network(), one.samples(8, 2), {});
    const Tensor input = one.samples(kSamples, 1);
    Network runs(model);
    const Activations values = runs.forward(to_aten(input));
    std::vector<Tensor> outputs;
    for (const std::string& name : model.graph.outputs) {
      outputs.push_back(to_graph(values.at(name).contiguous().detach()));
    }
    add(one.name, model, {input}, outputs, 0);
  }
  expect_all_equal();
}

TEST_F(TorchScript, EveryOpComputesTheSameInPython) {
  for (const OpCase& one : op_cases()) {
    Network runs(one.model);
    int64_t parameters = 0;
    for (const Parameter& parameter : runs.parameters()) {
      parameters += parameter.value.numel();
    }
    add(one.name, one.model, one.inputs, parameters);
  }
  const Tensor x = random_floats({2, 3, 4, 4}, 1);
  const graph::PadAttributes missing{{0, 0, 1, 0, 0, 0, 0, 2}, graph::PadMode::Constant, NAN};
  add("pad_missing", make_model({x}, {}, {make_node("y", Op::Pad, {"x0"}, missing)}), {x}, 0);
  expect_all_equal();
}

TEST_F(TorchScript, WeightsMayHaveTheNamesOfPythonsWords) {
  const Tensor x = random_floats({2, 3}, 1);
  graph::Weights weights;
  std::vector<graph::Node> nodes;
  std::string last = "x0";
  for (const char* word : {"class",
                           "lambda",
                           "None",
                           "in",
                           "self",
                           "x",
                           "v0",
                           "torch",
                           "float",
                           "print",
                           "parameters",
                           "train",
                           "__init__",
                           "class_names",
                           "forward",
                           "/c",
                           "",
                           "é"}) {
    weights[std::string("w") + word] = random_floats({3}, 2);
    weights[word] = random_floats({3}, weights.size());
    nodes.push_back(make_node("n" + std::to_string(nodes.size()), Op::Add, {last, word}));
    last = nodes.back().name;
  }
  add("words", make_model({x}, weights, nodes), {x}, 0);
  expect_all_equal();
}

/// A PReLU's slopes and the bias after a MatMul are moved by training here, so in Python too.
TEST(TorchScriptParameters, AreWhatTrainingMoves) {
  const Tensor x = random_floats({2, 4, 6}, 1);
  const Model model = make_model({x},
                                 {{"w", random_floats({6, 5}, 2)},
                                  {"bias", random_floats({5}, 3)},
                                  {"slope", random_floats({4, 1}, 4)},
                                  {"shift", random_floats({5}, 5)}},
                                 {make_node("a", Op::MatMul, {"x0", "w"}),
                                  make_node("b", Op::Add, {"a", "bias"}),
                                  make_node("c", Op::PRelu, {"b", "slope"}),
                                  make_node("d", Op::Add, {"c", "shift"})});
  const Script script = write_script(model);
  EXPECT_TRUE(script.tensors.at("w_").trains);
  EXPECT_TRUE(script.tensors.at("bias_").trains);
  EXPECT_TRUE(script.tensors.at("slope_").trains);
  EXPECT_FALSE(script.tensors.at("shift_").trains);
}

/// Every input is fed.
TEST(EagerLatency, OfAModelWithTwoInputs) {
  const Tensor x = random_floats({1, 2, 3}, 1);
  const Model model = make_model({x, x}, {}, {make_node("y", Op::Add, {"x0", "x1"})});
  EXPECT_GT(eager_latency_us(model, 1, 1), 0);
}

TEST(TorchScriptNames, AreWhatPythonCanHold) {
  graph::Weights weights{{"0/conv.weight", random_floats({2, 4, 1, 1}, 1)},
                         {"0.conv/weight", random_floats({2, 2, 1, 1}, 2)},
                         {"training", random_floats({2, 1, 1}, 3)}};
  const Model model =
      make_model({random_floats({1, 4, 2, 2}, 4)},
                 weights,
                 {make_node("a", Op::Conv, {"x0", "0/conv.weight"}, graph::ConvAttributes{}),
                  make_node("b", Op::Conv, {"a", "0.conv/weight"}, graph::ConvAttributes{}),
                  make_node("c", Op::Mul, {"b", "training"})});
  const Script script = write_script(model);
  ASSERT_EQ(script.tensors.size(), 3u);
  EXPECT_TRUE(script.tensors.contains("_0_conv_weight"));
  EXPECT_TRUE(script.tensors.contains("_0_conv_weight_"));
  EXPECT_TRUE(script.tensors.contains("training_"));
  EXPECT_FALSE(script.tensors.at("training_").trains);
  EXPECT_THAT(script.text, HasSubstr("torch.mul(v1, self.training_)"));
}

}  // namespace
}  // namespace coppice::train
