#include "train/compute.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "samples.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using ::testing::HasSubstr;
using testing::quarter_input;
using testing::quarter_network;
using testing::quarters;

constexpr Machine kPlain{};
constexpr Machine kRich{.gpus = 2, .multiplies_bfloat16 = true};

recipe::TrainOptions options_of(const std::string& device, const std::string& precision) {
  recipe::TrainOptions options;
  options.device = device;
  options.precision = precision;
  return options;
}

TEST(Compute, AutoTakesWhatIsThere) {
  EXPECT_EQ(choose_compute(options_of("auto", "float32"), kPlain).gpu, -1);
  EXPECT_EQ(choose_compute(options_of("auto", "float32"), kRich).gpu, 0);
  EXPECT_EQ(choose_compute(options_of("auto", "float32"), kRich, 1).gpu, 1);
  EXPECT_EQ(choose_compute(options_of("cpu", "float32"), kRich).gpu, -1);

  const Compute without = choose_compute(options_of("cpu", "auto"), kPlain);
  EXPECT_FALSE(without.bfloat16);
  EXPECT_THAT(without.notice, HasSubstr("float32"));
  const Compute with = choose_compute(options_of("cpu", "auto"), kRich);
  EXPECT_TRUE(with.bfloat16);
  EXPECT_EQ(with.notice, "");
  EXPECT_FALSE(choose_compute(recipe::TrainOptions(), kRich).bfloat16) << "only when asked for";
}

TEST(Compute, WhatIsAskedForAndMissingIsRefused) {
  const auto message =
      [](const recipe::TrainOptions& options, const Machine& machine, int64_t rank) {
        try {
          choose_compute(options, machine, rank);
        } catch (const core::Error& error) {
          EXPECT_EQ(error.kind(), core::ErrorKind::Unsupported);
          return std::string(error.what());
        }
        return std::string();
      };
  EXPECT_THAT(message(options_of("cuda", "float32"), kPlain, 0), HasSubstr("train.device"));
  EXPECT_THAT(message(options_of("cuda", "float32"), kRich, 2), HasSubstr("there are 2"));
  EXPECT_THAT(message(options_of("cpu", "bfloat16"), kPlain, 0), HasSubstr("train.precision"));
  EXPECT_EQ(message(options_of("cuda", "bfloat16"), kRich, 1), "");
}

graph::Model small_cnn() {
  return graph::build_model({.name = "cnn", .widths = {8}}, quarter_input(), 3);
}

at::Generator generator_of(uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

at::Tensor some_images() {
  return (at::rand({16, 1, 8, 8}, generator_of(4)) * 255).to(at::kByte);
}

TEST(MixedPrecision, RoundsProductsOfTrainingAndNothingElse) {
  const at::Tensor images = some_images();
  Network single(small_cnn());
  Network mixed(small_cnn(), Precision::Mixed);
  EXPECT_TRUE(mixed.logits(images).equal(single.logits(images))) << "evaluation is exact";
  const at::Tensor exact = single.logits(images, {.training = true});
  const at::Tensor rounded = mixed.logits(images, {.training = true});
  EXPECT_EQ(rounded.scalar_type(), at::kFloat);
  const double scale = exact.abs().max().item<double>();
  const double difference = (exact - rounded).abs().max().item<double>();
  EXPECT_GT(difference, 0);
  EXPECT_LT(difference, 0.03 * scale) << "bfloat16 has 8 bits";

  // A loss with a slope: BatchNorm leaves that of the logits' squares next to none.
  const at::Tensor slope = at::randn({16, 4}, generator_of(5));
  (exact * slope).sum().backward();
  (rounded * slope).sum().backward();
  for (size_t i = 0; i < single.parameters().size(); ++i) {
    const Parameter& p = mixed.parameters()[i];
    EXPECT_EQ(p.value.scalar_type(), at::kFloat) << p.name;
    const at::Tensor gradient = single.parameters()[i].value.grad();
    EXPECT_EQ(p.value.grad().scalar_type(), at::kFloat);
    const double norm = gradient.norm().item<double>();
    // BatchNorm takes most of a convolution's gradient away, and leaves its rounding errors.
    const double tolerance = p.name == "conv1.weight" ? 0.25 : 0.03;
    if (norm > 1e-4) {  // a bias before BatchNorm has none
      EXPECT_LT((p.value.grad() - gradient).norm().item<double>(), tolerance * norm) << p.name;
    }
  }
}

TrainingTask easy_task() {
  TrainingTask task;
  task.train = quarters(256, 1);
  task.validation = quarters(64, 2);
  task.options.epochs = 4;
  task.options.batch_size = 32;
  task.options.optimizer.learning_rate = 0.05;
  return task;
}

TEST(MixedPrecision, LearnsWhatIsEasyAndKeepsSingleWeights) {
  const graph::Model model = quarter_network(3);
  Network network(model, Precision::Mixed);
  const auto history = train(network, easy_task());
  EXPECT_GT(history.back().validation_accuracy, 0.95);
  for (const auto& [name, weight] : network.to_model().weights) {
    EXPECT_EQ(weight.dtype(), model.weight(name).dtype()) << name;
  }
}

TEST(Cuda, TrainsAsTheCpuDoes) {
  if (this_machine().gpus == 0) {
    GTEST_SKIP() << "there is no CUDA GPU here";
  }
  Network on_cpu(small_cnn());
  Network on_gpu(small_cnn(), Precision::Single, at::Device(at::kCUDA, 0));
  const auto expected = train(on_cpu, easy_task());
  const auto history = train(on_gpu, easy_task());
  EXPECT_NEAR(history.front().loss, expected.front().loss, 1e-3);
  EXPECT_NEAR(history.back().validation_accuracy, expected.back().validation_accuracy, 0.05);
}

}  // namespace

}  // namespace coppice::train
