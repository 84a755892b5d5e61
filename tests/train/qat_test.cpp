#include "train/qat/qat.h"

#include <cmath>
#include <map>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/given_integers.h"
#include "graph/models.h"
#include "runtime/engine.h"
#include "samples.h"
#include "states.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/sample_tensor.h"
#include "train/tensor_bridge.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using testing::quarter_input;
using testing::quarters;

/// A residual network with a BN behind each convolution and a depthwise layer.
graph::Model norm_network(const std::string& name = "resnet") {
  return graph::build_model({.name = name, .widths = {6, 12}}, quarter_input(), 1);
}

TrainingTask qat_task(const std::string& method, int64_t epochs = 3) {
  TrainingTask task;
  task.train = quarters(256, 1);
  task.validation = quarters(64, 2);
  task.options.epochs = epochs;
  task.options.batch_size = 32;
  task.options.optimizer.learning_rate = 0.02;
  task.options.qat.method = method;
  task.options.qat.samples = 64;
  task.seed = 7;
  return task;
}

/// A float network that knows its data, as quantised training starts from.
graph::Model pretrained(const std::string& name = "resnet") {
  TrainingTask task = qat_task("none", 2);
  Network network(norm_network(name));
  train(network, task);
  return network.to_model();
}

/// Trains from `model` and returns the simulation; `finished` is what ships.
Network trained_network(const graph::Model& model,
                        const TrainingTask& task,
                        graph::Model* finished = nullptr,
                        const TrainingState* resume = nullptr) {
  const QuantisedTraining qat(model, *task.train, task.options.qat);
  Network network(qat.model());
  qat.simulate_in(network);
  train(network, task, resume);
  if (finished != nullptr) {
    *finished = qat.finish(network);
  }
  return network;
}

class EveryMethod : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Qat, EveryMethod, ::testing::Values("ste", "lsq"));

/// Against the simulation in double, where sums of integers are exact: what an engine rounds in
/// single precision may fall the other way at a tie, by one step. From the same integers on, layer
/// by layer; behind such a step the next layer's sums differ.
TEST_P(EveryMethod, TheEngineComputesTheIntegersOfWhatIsJudgedWithinOneStep) {
  for (const char* name : {"resnet", "ds_cnn", "cnn"}) {
    SCOPED_TRACE(name);
    graph::Model int8;
    trained_network(pretrained(name), qat_task(GetParam(), 1), &int8);
    const graph::Model tapped = graph::testing::with_integers_as_outputs(int8);
    const std::vector<std::string>& nodes = tapped.graph.outputs;
    ASSERT_GE(nodes.size(), 3U);
    const graph::Tensor samples = first_samples(*quarters(64, 5), 64);
    Network judged(graph::testing::with_integers_as_inputs(int8), Precision::Double);
    for (const char* backend : {"reference", "onednn"}) {
      const auto engine = runtime::build_engine(tapped, {.backend = backend, .max_batch = 64});
      std::vector<graph::Tensor> outputs;
      std::map<std::string, at::Tensor> inputs{
          {tapped.graph.inputs().at(0)->name, to_aten(samples)}};
      for (const std::string& node : nodes) {
        graph::Shape shape = tapped.graph.at(node).shape;
        shape[0] = 64;
        outputs.emplace_back(tapped.graph.at(node).dtype, shape);
      }
      engine->run(std::vector<graph::Tensor>{samples}, outputs);
      for (size_t i = 0; i < nodes.size(); ++i) {
        inputs[nodes[i] + "_given"] = to_aten(outputs[i]);
      }
      const Activations ours = judged.forward(inputs, {.keep = nodes});
      int64_t others = 0;
      int64_t all = 0;
      for (size_t i = 0; i < nodes.size(); ++i) {
        const at::Tensor engines = to_aten(outputs[i]).to(at::kDouble);
        const at::Tensor apart = (engines - ours.at(nodes[i]).reshape(engines.sizes())).abs();
        EXPECT_LE(apart.max().item<double>(), 1) << nodes[i] << " on " << backend;
        others += (apart > 0).sum().item<int64_t>();
        all += apart.numel();
      }
      EXPECT_LT(static_cast<double>(others), 1e-4 * static_cast<double>(all)) << backend;
    }
  }
}

TEST_P(EveryMethod, WhatShipsPredictsWhatWasValidated) {
  graph::Model int8;
  const TrainingTask task = qat_task(GetParam());
  Network network = trained_network(pretrained(), task, &int8);
  Network shipped(int8);
  const double accuracy = evaluate(network, *task.validation).accuracy;
  EXPECT_GT(accuracy, 0.8) << "of four classes";
  EXPECT_DOUBLE_EQ(evaluate(shipped, *task.validation).accuracy, accuracy);
}

TEST_P(EveryMethod, ARunResumedAtAnyStepEndsAsAnUninterruptedOneDoes) {
  const graph::Model start = pretrained();
  TrainingTask task = qat_task(GetParam(), 2);
  task.options.qat.freeze_bn_after = 1.25;
  task.options.checkpoint.every_steps = 1;
  std::vector<TrainingState> states;
  task.on_checkpoint = [&](const TrainingState& state) {
    states.push_back(testing::copy_of(state));
  };
  graph::Model whole;
  trained_network(start, task, &whole);
  ASSERT_GT(states.size(), 10U);
  const auto saved = states;
  for (size_t i = 0; i < saved.size(); i += 4) {
    graph::Model again;
    trained_network(start, task, &again, &saved[i]);
    EXPECT_EQ(graph::content_hash(again), graph::content_hash(whole)) << i;
  }
}

TEST_P(EveryMethod, FrozenNormsKeepTheirStatistics) {
  const graph::Model start = pretrained();
  const auto statistics = [](const graph::Model& model) {
    std::vector<float> values;
    for (const graph::Node& node : model.graph.nodes) {
      if (node.op == graph::Op::BatchNorm) {
        for (const size_t input : {size_t{3}, size_t{4}}) {
          const auto part = model.weight(node.inputs[input]).data<float>();
          values.insert(values.end(), part.begin(), part.end());
        }
      }
    }
    return values;
  };
  TrainingTask task = qat_task(GetParam(), 1);
  task.options.qat.freeze_bn_after = 0;
  EXPECT_EQ(statistics(trained_network(start, task).to_model()), statistics(start));
  task.options.qat.freeze_bn_after = 0.5;
  EXPECT_NE(statistics(trained_network(start, task).to_model()), statistics(start));
}

TEST(Qat, LsqLearnsItsScalesAndSteFollowsTheValues) {
  const graph::Model start = pretrained();
  const auto scale_of = [](const Network& network) {
    for (const graph::Node& node : network.graph().nodes) {
      if (node.op == graph::Op::QuantizeLinear && node.name.starts_with("relu")) {
        return network.weights().at(node.inputs[1]).item<double>();
      }
    }
    return 0.0;
  };
  TrainingTask task = qat_task("ste", 1);
  task.options.qat.freeze_bn_after = 0;
  const QuantisedTraining qat(start, *task.train, task.options.qat);
  Network before(qat.model());
  const double first = scale_of(before);
  ASSERT_GT(first, 0);
  EXPECT_EQ(scale_of(trained_network(start, task)), first) << "frozen ranges stay";
  task.options.qat.freeze_bn_after = 1;
  EXPECT_NE(scale_of(trained_network(start, task)), first);
  task.options.qat.range_momentum = 0;
  EXPECT_EQ(scale_of(trained_network(start, task)), first);
  task.options.qat.method = "lsq";
  Network learned = trained_network(start, task);
  EXPECT_NE(scale_of(learned), first);
  size_t scales = 0;
  for (const Parameter& p : learned.parameters()) {
    scales += p.kind == ParameterKind::Scale ? 1 : 0;
    EXPECT_FALSE(p.kind == ParameterKind::Scale && p.decays());
  }
  EXPECT_GT(scales, 8U);
}

TEST(Qat, SteScalesAreTheLargestWeightsOfTheirChannels) {
  TrainingTask task = qat_task("ste", 1);
  Network network = trained_network(pretrained(), task);
  for (const auto& [weight, scales] : network.weight_scales()) {
    const at::Tensor& values = network.weights().at(weight);
    const at::Tensor largest = values.detach().reshape({values.size(0), -1}).abs().amax(1) / 127;
    EXPECT_TRUE(at::equal(to_aten(scales), largest)) << weight;
  }
}

TEST(Qat, RefusesWhatDoesNotFit) {
  TrainingTask task = qat_task("lsq");
  task.options.sam_rho = 0.05;
  Network network(norm_network());
  EXPECT_THAT(
      graph::testing::message_of(core::ErrorKind::InvalidArgument, [&] { train(network, task); }),
      ::testing::HasSubstr("qat.method: "));
  recipe::QatOptions options = qat_task("ste").options.qat;
  options.float_layers = {"conf1"};
  graph::testing::message_of(core::ErrorKind::NotFound,
                             [&] { QuantisedTraining(norm_network(), *task.train, options); });
}

}  // namespace

}  // namespace coppice::train
