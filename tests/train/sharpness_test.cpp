#include "train/sharpness.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "samples.h"
#include "train/batch_tensors.h"
#include "train/gradients.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/trainer.h"
#include "train/weight_average.h"

namespace coppice::train {

namespace {

graph::Model bn_network() {
  graph::ModelOptions options;
  options.widths = {4};
  graph::ModelInput input;
  input.sample_shape = {1, 8, 8};
  input.class_names = testing::quarters(4, 1)->schema().class_names;
  return graph::build_model(options, input, 1);
}

void pass_over(Network& network, const data::Batch& batch, const data::Schema& schema) {
  cross_entropy(network.logits(samples_of(batch, schema), {.training = true}), labels_of(batch), 0)
      .backward();
}

TEST(SharpnessAscent, StandsRhoUpTheGradientAndReturnsExactly) {
  const auto dataset = testing::quarters(16, 1);
  const data::Batch batch = data::read_all(*dataset);
  Network network(bn_network());
  pass_over(network, batch, dataset->schema());
  const NamedTensors before = copy_weights(network);
  const double norm = norm_of(gradients_of(network.parameters()));
  {
    const SharpnessAscent ascent(network, 0.3);
    double squares = 0;
    for (const Parameter& p : network.parameters()) {
      const at::Tensor moved = p.value.detach() - before.at(p.name);
      EXPECT_TRUE(moved.allclose(p.value.grad() * (0.3 / norm), 1e-3, 1e-6)) << p.name;
      squares += moved.square().sum().item<double>();
    }
    EXPECT_NEAR(std::sqrt(squares), 0.3, 1e-3);
    network.clear_gradients();
    pass_over(network, batch, dataset->schema());
  }
  for (const auto& [name, tensor] : before) {
    EXPECT_TRUE(network.weights().at(name).equal(tensor)) << name;  // BN's statistics too
  }
}

/// One step of plain gradient descent at rate 1, by the trainer.
NamedTensors after_one_step(double rho, double l2 = 0) {
  TrainingTask task;
  task.train = testing::quarters(16, 1);
  task.options.epochs = 1;
  task.options.batch_size = 16;
  task.options.schedule.name = "constant";
  task.options.optimizer = {
      .learning_rate = 1, .momentum = 0, .nesterov = false, .weight_decay = 0};
  task.options.sam_rho = rho;
  task.options.penalty.l2 = l2;
  Network network(bn_network());
  train(network, task);
  return copy_weights(network);
}

TEST(Sam, StepsWithTheGradientFoundUphillAndTheFirstPasssStatistics) {
  const auto dataset = testing::quarters(16, 1);
  data::Batch batch = data::read_all(*dataset);
  Network network(bn_network());
  pass_over(network, batch, dataset->schema());
  const NamedTensors start = copy_weights(network);  // with the first pass's statistics
  const double norm = norm_of(gradients_of(network.parameters()));
  for (const Parameter& p : network.parameters()) {
    p.value.detach().add_(p.value.grad(), 0.2 / norm);
  }
  network.clear_gradients();
  pass_over(network, batch, dataset->schema());
  NamedTensors expected = start;
  for (const Parameter& p : network.parameters()) {
    expected[p.name] = start.at(p.name) - p.value.grad();
  }
  const NamedTensors got = after_one_step(0.2);
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(got.at(name).allclose(tensor, 1e-4, 1e-5)) << name;
  }
  const NamedTensors plain = after_one_step(0);
  EXPECT_FALSE(got.at("logits.weight").allclose(plain.at("logits.weight"), 1e-4, 1e-5));
}

TEST(Sam, PenaltiesPullFromWhereTheWeightsAre) {
  const NamedTensors without = after_one_step(0.2);
  const NamedTensors with = after_one_step(0.2, 0.1);
  Network network(bn_network());
  for (const Parameter& p : network.parameters()) {
    if (p.decays()) {
      EXPECT_TRUE(
          (without.at(p.name) - with.at(p.name)).allclose(p.value.detach() * 0.1, 1e-3, 1e-5))
          << p.name;
    }
  }
}

}  // namespace

}  // namespace coppice::train
