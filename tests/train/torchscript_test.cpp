// Exported modules, loaded and run by Python's torch.jit.load.

#include "train/torchscript/torchscript.h"

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
#include "system/program.h"
#include "train/network.h"
#include "train/tensor_bridge.h"
#include "train/torchscript/script.h"

namespace coppice::train {
namespace {

namespace fs = std::filesystem;
using graph::DType;
using graph::Model;
using graph::Op;
using graph::Tensor;
using nlohmann::json;
using runtime::testing::make_model;
using runtime::testing::make_node;
using runtime::testing::random_floats;
using runtime::testing::random_integers;
using ::testing::HasSubstr;

constexpr int64_t kSamples = 3;

/// Writes models with inputs and the outputs they must have; Python looks at all of them at once.
class TorchScript : public ::testing::Test {
 protected:
  void add(const std::string& name,
           const Model& model,
           const Tensor& input,
           const std::vector<Tensor>& outputs,
           int64_t parameters) {
    const fs::path folder = folder_.path() / name;
    fs::create_directories(folder);
    save_torchscript(model, folder / "model.pt");
    json ports = json::array();
    for (size_t i = 0; i < outputs.size(); ++i) {
      write(folder / ("output" + std::to_string(i) + ".raw"), outputs[i]);
      ports.push_back(port(outputs[i]));
    }
    write(folder / "input.raw", input);
    const json described{{"input", port(input)},
                         {"outputs", ports},
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
  static void write(const fs::path& file, const Tensor& tensor) {
    core::write_file(file, std::span(tensor.bytes(), static_cast<size_t>(tensor.bytes_size())));
  }

  static json port(const Tensor& tensor) {
    return {{"dtype", graph::to_string(tensor.dtype())}, {"shape", tensor.shape()}};
  }

  core::TemporaryFolder folder_;
};

struct ZooNetwork {
  const char* name;
  graph::ModelOptions options;
  graph::Shape sample;
  DType dtype = DType::U8;
};

std::vector<graph::LayerOptions> layer_list() {
  std::vector<graph::LayerOptions> layers;
  for (const char* type : {"conv", "bn", "relu", "flatten"}) {
    layers.emplace_back().type = type;
  }
  return layers;
}

std::vector<ZooNetwork> every_zoo_network() {
  return {
      {"mlp", {.name = "mlp", .widths = {20, 12}, .dropout = 0.2}, {30}, DType::F32},
      {"lenet_300_100", {.name = "lenet_300_100"}, {1, 6, 6}},
      {"lenet5", {.name = "lenet5"}, {1, 28, 28}},
      {"cnn", {.name = "cnn", .widths = {4, 6}}, {3, 13, 13}},
      {"resnet",
       {.name = "resnet", .widths = {4, 6, 8}, .depth = 3, .drop_path = 0.2},
       {3, 16, 16}},
      {"resnet18",
       {.name = "resnet18", .stem = graph::Stem::Imagenet, .width_multiplier = 0.125},
       {3, 64, 64}},
      {"mobilenet_v2", {.name = "mobilenet_v2", .width_multiplier = 0.25}, {3, 32, 32}},
      {"ds_cnn", {.name = "ds_cnn"}, {1, 25, 10}},
      {"cnn1d", {.name = "cnn1d", .widths = {5, 7}}, {3, 40}, DType::F32},
      {"tcn", {.name = "tcn", .widths = {6, 6}, .dropout = 0.1}, {3, 32}, DType::F32},
      {"autoencoder", {.name = "autoencoder", .widths = {16, 5}}, {1, 7, 7}},
      {"conv_autoencoder", {.name = "conv_autoencoder", .widths = {4, 6}}, {1, 12, 12}},
      {"layers", {.name = "layers", .layers = layer_list()}, {1, 8, 8}},
  };
}

Model zoo_network(const ZooNetwork& one) {
  graph::ModelInput input = runtime::testing::image_input(one.sample[0], 1, one.dtype);
  input.sample_shape = one.sample;
  return runtime::testing::random_network(one.options, input, 3);
}

Tensor zoo_samples(const ZooNetwork& one, int64_t count, uint64_t seed) {
  graph::Shape shape = one.sample;
  shape.insert(shape.begin(), count);
  return one.dtype == DType::U8 ? random_integers(DType::U8, shape, seed)
                                : random_floats(shape, seed, 0, 255);
}

TEST_F(TorchScript, EveryNetworkOfTheZooComputesTheSameInPython) {
  std::vector<std::string> names;
  for (const ZooNetwork& one : every_zoo_network()) {
    names.push_back(one.options.name);
    const Model model = zoo_network(one);
    const Tensor input = zoo_samples(one, kSamples, 1);
    add(one.name,
        model,
        input,
        runtime::testing::run_model(model, {input}, "reference"),
        graph::cost(model).parameters);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, graph::zoo().names());
  expect_all_equal();
}

TEST_F(TorchScript, AQuantisedNetworkComputesWhatItsNodesSay) {
  for (const ZooNetwork& one : every_zoo_network()) {
    const Model model = compress::quantise(zoo_network(one), zoo_samples(one, 8, 2), {});
    const Tensor input = zoo_samples(one, kSamples, 1);
    Network runs(model);
    const Activations values = runs.forward(to_aten(input));
    std::vector<Tensor> outputs;
    for (const std::string& name : model.graph.outputs) {
      outputs.push_back(to_graph(values.at(name).contiguous().detach()));
    }
    add(one.name, model, input, outputs, 0);
  }
  expect_all_equal();
}

TEST_F(TorchScript, OpsThatNoNetworkOfTheZooHas) {
  const Tensor x = random_floats({2, 4, 6, 5}, 1);
  const auto each = [&](const std::string& name,
                        const graph::Weights& weights,
                        const std::vector<graph::Node>& nodes,
                        int64_t parameters,
                        const Tensor& input) {
    const Model model = make_model({input}, weights, nodes);
    add(name, model, input, runtime::testing::run_model(model, {input}, "reference"), parameters);
  };
  const graph::ConvTransposeAttributes up{{3, 2}, {2, 2}, {1, 0, 0, 1}, {1, 1}, {1, 0}, 2};
  each("conv_transpose",
       {{"w", random_floats({4, 3, 3, 2}, 2)}, {"b", random_floats({6}, 3)}},
       {make_node("y", Op::ConvTranspose, {"x0", "w", "b"}, up)},
       78,
       x);
  const graph::PoolAttributes pool{{3, 2}, {2, 3}, {1, 0, 2, 1}};
  each("max_pool", {}, {make_node("y", Op::MaxPool, {"x0"}, pool)}, 0, x);
  each("average_pool", {}, {make_node("y", Op::AveragePool, {"x0"}, pool)}, 0, x);
  each("layer_norm",
       {{"s", random_floats({6, 5}, 4)}, {"b", random_floats({6, 5}, 5)}},
       {make_node("y", Op::LayerNorm, {"x0", "s", "b"}, graph::LayerNormAttributes{2})},
       60,
       x);
  each("curves",
       {{"slope", random_floats({4, 1, 1}, 6)}},
       {make_node("a", Op::PRelu, {"x0", "slope"}),
        make_node("b", Op::HardSwish, {"a"}),
        make_node("c", Op::Erf, {"b"}),
        make_node("d", Op::Clip, {"c"}, graph::ClipAttributes{-0.3F, 0.4F}),
        make_node("y", Op::Softmax, {"d"}, graph::AxisAttributes{1})},
       0,
       x);
  for (const auto mode :
       {graph::PadMode::Constant, graph::PadMode::Edge, graph::PadMode::Reflect}) {
    each("pad" + std::to_string(static_cast<int>(mode)),
         {},
         {make_node(
             "y", Op::Pad, {"x0"}, graph::PadAttributes{{0, 0, 1, 2, 0, 0, 3, 1}, mode, 0.5F})},
         0,
         x);
  }
  for (const auto mode :
       {graph::ResizeMode::Nearest, graph::ResizeMode::Linear, graph::ResizeMode::LinearCorners}) {
    each("resize" + std::to_string(static_cast<int>(mode)),
         {},
         {make_node("y", Op::Resize, {"x0"}, graph::ResizeAttributes{{2, 3}, mode})},
         0,
         x);
  }
  each("moves",
       {},
       {make_node("a", Op::Transpose, {"x0"}, graph::TransposeAttributes{{0, 3, 1, 2}}),
        make_node("b", Op::Slice, {"a"}, graph::SliceAttributes{1, 1, 5, 2}),
        make_node("c", Op::ReduceMean, {"b"}, graph::ReduceAttributes{{2}}),
        make_node("y", Op::Reshape, {"c"}, graph::ReshapeAttributes{{3, 4}})},
       0,
       x);
  const Tensor sequence = random_floats({2, 7, 3}, 8);
  for (const bool reverse : {false, true}) {
    const auto attributes = graph::RecurrentAttributes{reverse};
    const std::string suffix = reverse ? "_reverse" : "";
    each("lstm" + suffix,
         {{"w", random_floats({1, 16, 3}, 2)},
          {"r", random_floats({1, 16, 4}, 3)},
          {"b", random_floats({1, 32}, 4)}},
         {make_node("y", Op::Lstm, {"x0", "w", "r", "b"}, attributes)},
         144,
         sequence);
    each("gru" + suffix,
         {{"w", random_floats({1, 12, 3}, 2)}, {"r", random_floats({1, 12, 4}, 3)}},
         {make_node("y", Op::Gru, {"x0", "w", "r"}, attributes)},
         84,
         sequence);
  }
  expect_all_equal();
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
