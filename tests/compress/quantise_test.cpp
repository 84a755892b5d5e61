#include "compress/quantise.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "compress/network.h"
#include "core/error.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "graph/pass.h"
#include "graph/zoo.h"
#include "runtime/engine.h"

namespace coppice::compress {

namespace {

using graph::DType;
using graph::Op;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Smooth random pictures, each with its own contrast: raw u8 [count, channels, height, width].
graph::Tensor pictures(graph::Shape shape, uint64_t seed) {
  core::Rng rng(seed);
  graph::Tensor samples(DType::U8, shape);
  size_t at = 0;
  for (int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
    const double fx = rng.uniform(-0.9, 0.9);
    const double fy = rng.uniform(-0.9, 0.9);
    const double phase = rng.uniform(0, 6.28);
    const double height = rng.uniform(20, 120);
    for (int64_t y = 0; y < shape[2]; ++y) {
      for (int64_t x = 0; x < shape[3]; ++x) {
        const double wave =
            std::sin(fx * static_cast<double>(x) + fy * static_cast<double>(y) + phase);
        const double value = 128 + height * wave + 5 * rng.normal();
        samples.data<uint8_t>()[at++] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return samples;
}

graph::Model make_image_cnn() {
  Network net(DType::U8, {2, 8, 8});
  std::string x = net.normalise("input", 0, 255);
  x = net.relu("relu1", net.batch_norm("bn1", net.conv("conv1", x, 8, 3, 1, false)));
  x = net.relu("relu2", net.conv("conv2", net.max_pool("pool1", x), 12));
  x = net.append("dropout",
                 Op::Dropout,
                 {net.flatten("flatten", net.global_pool("gap", x))},
                 graph::DropoutAttributes{});
  return net.build({net.gemm("logits", x, 4)});
}

graph::Tensor run(const graph::Model& model,
                  const graph::Tensor& samples,
                  const std::string& backend = "first") {
  const auto engine = runtime::build_engine(model, {.backend = backend, .max_batch = 32});
  return runtime::run_all(*engine, samples, 32);
}

/// Moves the logits' bias so that no class wins everywhere.
graph::Model balanced(graph::Model model, const graph::Tensor& samples) {
  const graph::Tensor logits = run(model, samples);
  graph::Tensor bias = model.weight("logits.bias").clone();
  const auto classes = static_cast<size_t>(bias.size());
  const auto count = static_cast<float>(samples.dim(0));
  for (size_t i = 0; i < static_cast<size_t>(logits.size()); ++i) {
    bias.data<float>()[i % classes] -= logits.data<float>()[i] / count;
  }
  model.weights["logits.bias"] = bias;
  return model;
}

double agreement(const graph::Model& a, const graph::Model& b, const graph::Tensor& samples) {
  const auto x = runtime::argmax_rows(run(a, samples));
  const auto y = runtime::argmax_rows(run(b, samples));
  size_t same = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    same += x[i] == y[i] ? 1 : 0;
  }
  return static_cast<double>(same) / static_cast<double>(x.size());
}

std::vector<std::string> node_names(const graph::Model& model) {
  std::vector<std::string> names;
  for (const graph::Node& node : model.graph.nodes) {
    names.push_back(node.name);
  }
  return names;
}

TEST(Quantise, MakesExactlyTheseNodes) {
  const graph::Model quantised = quantise(make_image_cnn(), pictures({40, 2, 8, 8}, 1), {});
  EXPECT_THAT(node_names(quantised),
              ElementsAre("input",
                          "cast",
                          "centred",
                          "normalised",
                          "normalised_q",
                          "normalised_dq",
                          "conv1.weight_dq",
                          "conv1.bias_dq",
                          "conv1",
                          "relu1",
                          "relu1_q",
                          "relu1_dq",
                          "pool1",
                          "pool1_q",
                          "pool1_dq",
                          "conv2.weight_dq",
                          "conv2.bias_dq",
                          "conv2",
                          "relu2",
                          "relu2_q",
                          "relu2_dq",
                          "gap",
                          "flatten",
                          "flatten_q",
                          "flatten_dq",
                          "logits.weight_dq",
                          "logits.bias_dq",
                          "logits"));
  EXPECT_THAT(quantised.graph.at("conv2").inputs,
              ElementsAre("pool1_dq", "conv2.weight_dq", "conv2.bias_dq"));
  EXPECT_THAT(quantised.graph.at("relu1_q").inputs, ElementsAre("relu1", "relu1_scale", "zero_u8"));
  EXPECT_THAT(quantised.graph.at("pool1_q").inputs, ElementsAre("pool1", "relu1_scale", "zero_u8"))
      << "pooling keeps the scale";
  EXPECT_THAT(quantised.graph.at("flatten_q").inputs,
              ElementsAre("flatten", "flatten_scale", "zero_u8"));
  EXPECT_THAT(quantised.graph.outputs, ElementsAre("logits"));
  EXPECT_EQ(quantised.graph.at("input").dtype, DType::U8);
  EXPECT_EQ(quantised.graph.at("logits").dtype, DType::F32);
}

TEST(Quantise, LeavesNoFloatCopiesAndNoZeroPointsButZero) {
  const graph::Model quantised = quantise(make_image_cnn(), pictures({40, 2, 8, 8}, 1), {});
  for (const auto& [name, tensor] : quantised.weights) {
    const bool constant = name == "mean" || name == "std" || name.ends_with("_scale");
    EXPECT_EQ(tensor.dtype() == DType::F32, constant) << name;
  }
  EXPECT_EQ(quantised.weight("conv2.weight_q").dtype(), DType::I8);
  EXPECT_EQ(quantised.weight("conv2.weight_scale").shape(), (graph::Shape{12}));
  EXPECT_EQ(quantised.weight("conv2.bias_q").dtype(), DType::I32);
  for (const graph::Node& node : quantised.graph.nodes) {
    if (node.op == Op::QuantizeLinear || node.op == Op::DequantizeLinear) {
      const graph::Tensor& zero = quantised.weight(node.inputs[2]);
      for (int64_t i = 0; i < zero.bytes_size(); ++i) {
        EXPECT_EQ(zero.bytes()[i], std::byte{0}) << node.name;
      }
    }
  }
}

TEST(Quantise, ScalesWeightsPerChannelAndBiasesByTheirProduct) {
  const graph::Model model = make_image_cnn();
  const graph::Model quantised =
      quantise(model, pictures({40, 2, 8, 8}, 1), {.bias_correction = false});
  const auto weight = model.weight("conv2.weight").data<float>();
  const auto integers = quantised.weight("conv2.weight_q").data<int8_t>();
  const auto scales = quantised.weight("conv2.weight_scale").data<float>();
  const float input_scale = quantised.weight("relu1_scale").data<float>()[0];
  for (size_t c = 0; c < 12; ++c) {
    float largest = 0;
    for (size_t i = 0; i < 72; ++i) {
      largest = std::max(largest, std::abs(weight[c * 72 + i]));
      EXPECT_NEAR(static_cast<float>(integers[c * 72 + i]) * scales[c],
                  weight[c * 72 + i],
                  scales[c] * 0.501F);
    }
    EXPECT_FLOAT_EQ(scales[c], largest / 127);
    const float bias_scale = quantised.weight("conv2.bias_scale").data<float>()[c];
    EXPECT_FLOAT_EQ(bias_scale, input_scale * scales[c]);
    EXPECT_NEAR(
        static_cast<float>(quantised.weight("conv2.bias_q").data<int32_t>()[c]) * bias_scale,
        model.weight("conv2.bias").data<float>()[c],
        bias_scale);
  }
}

TEST(Quantise, SignsWhatWasBelowZero) {
  Network net(DType::U8, {1, 8, 8});
  std::string x = net.normalise("input", 128, 64);
  x = net.conv("conv2", net.conv("conv1", x, 4), 4);
  const auto model =
      net.build({net.gemm("logits", net.flatten("flatten", net.global_pool("gap", x)), 3)});
  const graph::Tensor samples = pictures({40, 1, 8, 8}, 1);
  const graph::Model quantised = quantise(model, samples, {.calibration = "min_max"});
  EXPECT_EQ(quantised.graph.at("normalised_q").dtype, DType::I8);
  EXPECT_EQ(quantised.graph.at("conv1_q").dtype, DType::I8);
  float limit = 0;
  for (const uint8_t value : samples.data<uint8_t>()) {
    limit = std::max(limit, std::abs((static_cast<float>(value) - 128) / 64));
  }
  EXPECT_FLOAT_EQ(quantised.weight("normalised_scale").data<float>()[0], limit / 127);
}

TEST(Quantise, AgreesWithTheFloatModel) {
  const graph::Tensor calibration = pictures({128, 2, 8, 8}, 1);
  const graph::Tensor test = pictures({400, 2, 8, 8}, 2);
  const graph::Model model = balanced(make_image_cnn(), calibration);
  std::set<int64_t> classes;
  for (const int64_t c : runtime::argmax_rows(run(model, test))) {
    classes.insert(c);
  }
  ASSERT_EQ(classes.size(), 4U) << "agreement on one class proves nothing";
  for (const char* calibrator : {"min_max", "percentile", "mse", "entropy"}) {
    for (const bool correct : {false, true}) {
      const graph::Model quantised =
          quantise(model, calibration, {.calibration = calibrator, .bias_correction = correct});
      EXPECT_GT(agreement(model, quantised, test), correct ? 0.97 : 0.95)
          << calibrator << " " << correct;
    }
  }
}

TEST(Quantise, TakesEveryTopology) {
  core::Rng rng(4);
  const std::map<std::string, graph::Model (*)()> topologies{{"mlp", make_mlp},
                                                             {"cnn", make_cnn},
                                                             {"resnet", make_resnet},
                                                             {"concat", make_concat},
                                                             {"depthwise", make_depthwise},
                                                             {"curves", make_curves},
                                                             {"sequence", make_sequence}};
  for (const auto& [name, make] : topologies) {
    graph::Shape shape = make().graph.inputs().at(0)->shape;
    shape[0] = 200;
    graph::Tensor samples(DType::F32, shape);
    for (float& value : samples.data<float>()) {
      value = static_cast<float>(rng.normal());
    }
    const graph::Model model = balanced(make(), samples);
    const graph::Model quantised = quantise(model, samples, {});
    EXPECT_GT(agreement(model, quantised, samples), 0.9) << name;
    EXPECT_EQ(quantised.graph.at("input").dtype, DType::F32) << name;
  }
}

TEST(Quantise, TakesCurvesAndMovesOfTheZoo) {
  for (const char* name : {"mobilenet_v2", "ds_cnn", "tcn", "conv_autoencoder", "layers"}) {
    SCOPED_TRACE(name);
    auto [options, input] = graph::testing::zoo_example(name);
    if (input.sample_shape.size() == 3) {
      input.sample_shape = {1, 12, 12};
    }
    const graph::Model model = graph::build_model(options, input, 2);
    graph::Shape shape = input.sample_shape;
    shape.insert(shape.begin(), 8);
    core::Rng rng(5);
    graph::Tensor samples(DType::U8, shape);
    for (uint8_t& value : samples.data<uint8_t>()) {
      value = static_cast<uint8_t>(rng.below(256));
    }
    const graph::Model quantised = quantise(model, samples, {.bias_correction = false});
    const graph::Tensor expected = run(model, samples);
    double largest = 0;
    for (const float value : expected.data<float>()) {
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    for (const char* backend : {"reference", "onednn"}) {
      const graph::Tensor result = run(quantised, samples, backend);
      double error = 0;
      for (size_t i = 0; i < static_cast<size_t>(expected.size()); ++i) {
        const double difference = static_cast<double>(result.data<float>()[i]) -
                                  static_cast<double>(expected.data<float>()[i]);
        error += difference * difference;
      }
      EXPECT_LT(std::sqrt(error / static_cast<double>(expected.size())), 0.1 * largest) << backend;
    }
  }
}

TEST(Quantise, GivesAddAndConcatScalesOfTheirOwn) {
  graph::Tensor samples(DType::F32, {8, 3, 8, 8});
  std::fill(samples.data<float>().begin(), samples.data<float>().end(), 0.5F);
  const graph::Model residual = quantise(make_resnet(), samples, {});
  EXPECT_THAT(residual.graph.at("add").inputs, ElementsAre("conv2", "relu0_dq"))
      << "one side is added before it is rounded";
  EXPECT_EQ(residual.graph.find("add_q"), nullptr) << "the ReLU is quantised with the add";
  EXPECT_THAT(residual.graph.at("relu2_q").inputs, ElementsAre("relu2", "relu2_scale", "zero_u8"));
  const graph::Model rounded = quantise(make_resnet(), samples, {.round_sums = true});
  EXPECT_THAT(rounded.graph.at("add").inputs, ElementsAre("conv2_dq", "relu0_dq"));
  EXPECT_EQ(rounded.graph.at("conv2_q").inputs[0], "conv2");
  const graph::Model joined = quantise(make_concat(), samples, {});
  EXPECT_THAT(joined.graph.at("concat").inputs, ElementsAre("relu_a_dq", "relu_b_dq"));
  EXPECT_THAT(joined.graph.at("concat_q").inputs, ElementsAre("concat", "concat_scale", "zero_u8"));
}

TEST(Quantise, BiasCorrectionTakesTheMeanErrorAway) {
  const graph::Model model = make_image_cnn();
  const graph::Tensor samples = pictures({256, 2, 8, 8}, 1);
  const auto mean_error = [&](bool correct) {
    const graph::Tensor x = run(model, samples);
    const graph::Tensor y = run(quantise(model, samples, {.bias_correction = correct}), samples);
    double worst = 0;
    for (size_t c = 0; c < 4; ++c) {
      double sum = 0;
      for (size_t n = 0; n < 256; ++n) {
        sum += static_cast<double>(y.data<float>()[n * 4 + c]) -
               static_cast<double>(x.data<float>()[n * 4 + c]);
      }
      worst = std::max(worst, std::abs(sum / 256));
    }
    return worst;
  };
  EXPECT_LT(mean_error(true), 0.2 * mean_error(false));
}

TEST(Quantise, SurvivesDeadChannelsAndConstantActivations) {
  graph::Model model = make_image_cnn();
  graph::Tensor weight = model.weight("conv2.weight").clone();
  std::fill(weight.data<float>().begin(), weight.data<float>().end(), 0.0F);
  model.weights["conv2.weight"] = weight;  // the bias alone decides
  const graph::Tensor samples = pictures({40, 2, 8, 8}, 1);
  const graph::Tensor black(DType::U8, {40, 2, 8, 8});
  for (const graph::Tensor& data : {samples, black}) {
    const graph::Model quantised = quantise(model, data, {});
    const graph::Tensor x = run(model, data, "reference");
    const graph::Tensor y = run(quantised, data, "reference");
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(x.data<float>()[i], y.data<float>()[i], 0.02);
    }
  }
}

TEST(Quantise, MakesSmallFiles) {
  const auto model =
      graph::build_model({.name = "cnn", .widths = {16, 32, 64}},
                         {.std = {255}, .class_names = std::vector<std::string>(10, "class")},
                         1);
  const graph::Model quantised = quantise(model, pictures({32, 1, 28, 28}, 1), {});
  const auto before = graph::to_onnx(model).size();
  const auto after = graph::to_onnx(quantised).size();
  EXPECT_LT(static_cast<double>(after), 0.32 * static_cast<double>(before))
      << after << " of " << before;
  EXPECT_EQ(graph::content_hash(graph::from_onnx(graph::to_onnx(quantised))),
            graph::content_hash(quantised));
}

TEST(Quantise, IsDeterministic) {
  const graph::Tensor samples = pictures({64, 2, 8, 8}, 1);
  EXPECT_EQ(graph::content_hash(quantise(make_image_cnn(), samples, {})),
            graph::content_hash(quantise(make_image_cnn(), samples, {})));
}

TEST(Quantise, LooksAtTheFirstSamplesOnly) {
  graph::Tensor samples = pictures({64, 2, 8, 8}, 1);
  const graph::Model some = quantise(make_image_cnn(), samples, {.samples = 32});
  samples = samples.clone();
  std::fill(
      samples.data<uint8_t>().begin() + 32 * 128, samples.data<uint8_t>().end(), uint8_t{255});
  EXPECT_EQ(graph::content_hash(some),
            graph::content_hash(quantise(make_image_cnn(), samples, {.samples = 32})));
  EXPECT_NE(graph::content_hash(some),
            graph::content_hash(quantise(make_image_cnn(), samples, {.samples = 64})));
}

void expect_refused(const graph::Model& model,
                    const graph::Tensor& samples,
                    const QuantiseOptions& options,
                    const std::string& reason,
                    core::ErrorKind kind = core::ErrorKind::InvalidArgument) {
  try {
    quantise(model, samples, options);
    FAIL() << "expected: " << reason;
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(reason));
  }
}

TEST(Quantise, RefusesWhatDoesNotFit) {
  const graph::Model model = make_image_cnn();
  const graph::Tensor samples = pictures({8, 2, 8, 8}, 1);
  expect_refused(model, pictures({8, 1, 8, 8}, 1), {}, "input 'input' takes u8");
  expect_refused(
      model, graph::Tensor(DType::F32, {8, 2, 8, 8}), {}, "samples are f32 [8, 2, 8, 8]");
  expect_refused(model, graph::Tensor(DType::U8, {0, 2, 8, 8}), {}, "at least one sample");
  expect_refused(model, graph::Tensor(), {}, "at least one sample");
  expect_refused(quantise(model, samples, {}), samples, {}, "quantised already");
  expect_refused(model,
                 samples,
                 {.calibration = "minmax"},
                 "did you mean 'min_max'?",
                 core::ErrorKind::NotFound);
  expect_refused(model, samples, {.percentile = 0}, "percentile");
  expect_refused(model, samples, {.samples = 0}, "samples must be at least 1");
}

TEST(Quantise, RefusesActivationsThatAreNotFinite) {
  graph::Model model = make_image_cnn();
  graph::Tensor bias = model.weight("conv2.bias").clone();
  bias.data<float>()[0] = std::numeric_limits<float>::infinity();
  model.weights["conv2.bias"] = bias;
  expect_refused(model, pictures({8, 2, 8, 8}, 1), {}, "not finite", core::ErrorKind::Numeric);
}

TEST(Quantise, RefusesWeightsThatAreNotFiniteWhoseActivationsNobodyQuantises) {
  for (const std::string name : {"logits.weight", "logits.bias"}) {
    graph::Model model = make_image_cnn();
    graph::Tensor weight = model.weight(name).clone();
    weight.data<float>()[1] = std::numeric_limits<float>::quiet_NaN();
    model.weights[name] = weight;
    expect_refused(model,
                   pictures({8, 2, 8, 8}, 1),
                   {},
                   "'" + name + "' are not finite",
                   core::ErrorKind::Numeric);
  }
}

}  // namespace

}  // namespace coppice::compress
