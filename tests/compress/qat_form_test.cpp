#include "compress/qat_form.h"

#include <cmath>

#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/samples.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

using graph::Op;

const QuantiseOptions kForTraining{.bias_correction = false};

std::vector<std::string> names_of(const graph::Model& model) {
  std::vector<std::string> names;
  for (const graph::Node& node : model.graph.nodes) {
    names.push_back(node.name);
  }
  return names;
}

TEST(QatForm, UntrainedItEndsAsQuantisingDoes) {
  for (graph::Model (*make)() :
       {make_mlp, make_cnn, make_resnet, make_concat, make_depthwise, make_curves}) {
    const graph::Model model = make();
    const graph::Tensor samples = noise_for(model, 40, 2);
    const QatForm form = make_qat_form(model, samples, kForTraining, FirstScales::Calibrated);
    const graph::Model finished = finish_qat_form(form.model, form.weights, kForTraining);
    const graph::Model expected = quantise(model, samples, kForTraining);
    EXPECT_EQ(names_of(finished), names_of(expected));
    for (const auto& [name, tensor] : expected.weights) {
      const graph::Tensor& ours = finished.weight(name);
      ASSERT_EQ(ours.shape(), tensor.shape()) << name;
      if (tensor.dtype() == graph::DType::F32) {
        for (size_t i = 0; i < static_cast<size_t>(tensor.size()); ++i) {
          EXPECT_NEAR(ours.data<float>()[i] / tensor.data<float>()[i], 1, 1e-6) << name;
        }
      } else if (tensor.dtype() == graph::DType::I8) {
        int64_t others = 0;  // what lies within 1e-6 of a tie
        for (size_t i = 0; i < static_cast<size_t>(tensor.size()); ++i) {
          others += ours.data<int8_t>()[i] != tensor.data<int8_t>()[i] ? 1 : 0;
        }
        EXPECT_LE(others, 1) << name;
      }
    }
  }
}

TEST(QatForm, RoundsActivationsWhereTheInt8ModelDoesAndKeepsTheRest) {
  const graph::Model model = make_resnet();
  const QatForm form =
      make_qat_form(model, noise_for(model, 16, 2), kForTraining, FirstScales::Calibrated);
  EXPECT_EQ(form.model.graph.at("conv1").inputs[0], "relu0_dq");
  EXPECT_EQ(form.model.graph.at("bn1").inputs[0], "conv1") << "BN trains on";
  EXPECT_EQ(form.model.graph.at("add").inputs[0], "bn2") << "added before it is rounded";
  EXPECT_EQ(form.weights.at("conv1.weight").shape(), (graph::Shape{10}));
  EXPECT_EQ(form.weights.size(), 4U);
}

TEST(QatForm, ANegativeOrVanishingNormTurnsTheIntegers) {
  graph::Model model = make_resnet();
  graph::Tensor scale = model.weight("bn1.scale").clone();
  scale.data<float>()[0] = -1.5F;
  scale.data<float>()[1] = 0;
  model.weights["bn1.scale"] = scale;
  const graph::Tensor samples = noise_for(model, 16, 2);
  const QatForm form = make_qat_form(model, samples, kForTraining, FirstScales::Calibrated);
  const graph::Model finished = finish_qat_form(form.model, form.weights, kForTraining);
  const auto weight = model.weight("conv1.weight").data<float>();
  const auto integers = finished.weight("conv1.weight_q").data<int8_t>();
  for (size_t i = 0; i < 72; ++i) {
    EXPECT_LE(static_cast<float>(integers[i]) * weight[i], 0);
    EXPECT_EQ(integers[72 + i], 0);
  }
  EXPECT_GT(measured_sqnr_db(outputs_on(model, samples), outputs_on(finished, samples)), 20);
}

TEST(QatForm, LsqStartsFromMeans) {
  const graph::Model model = make_mlp();
  const graph::Tensor samples = noise_for(model, 16, 2);
  const QatForm form = make_qat_form(model, samples, kForTraining, FirstScales::Lsq);
  double sum = 0;
  for (const float value : model.weight("fc2.weight").data<float>().first(8)) {
    sum += std::abs(static_cast<double>(value));
  }
  EXPECT_NEAR(form.weights.at("fc2.weight").data<float>()[0], 2 * sum / 8 / std::sqrt(127.0), 1e-6);
  double inputs = 0;
  for (const float value : samples.data<float>()) {
    inputs += std::abs(static_cast<double>(value));
  }
  EXPECT_NEAR(form.model.weight("input_scale").data<float>()[0],
              2 * inputs / static_cast<double>(samples.size()) / std::sqrt(127.0),
              1e-6);
}

TEST(QatForm, RefusesWhatTrainingCannotKeep) {
  const graph::Model model = make_mlp();
  const graph::Tensor samples = noise_for(model, 16, 2);
  EXPECT_THROW(make_qat_form(model, samples, {}, FirstScales::Calibrated), core::Error)
      << "bias correction";
  EXPECT_THROW(
      make_qat_form(
          model, samples, {.bias_correction = false, .equalise = true}, FirstScales::Calibrated),
      core::Error);
  Network net(graph::DType::F32, {8});
  const std::string a = net.gemm("a", "input", 8);
  net.append("b", Op::Gemm, {a, "a.weight"});
  const graph::Model twice = net.build({"b"});
  EXPECT_THROW(make_qat_form(twice, noise_for(twice, 8, 1), kForTraining, FirstScales::Calibrated),
               core::Error);
}

}  // namespace

}  // namespace coppice::compress
