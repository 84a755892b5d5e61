#include "train/objective.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "data/store.h"
#include "graph/builder.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "report/metrics_log.h"
#include "samples.h"
#include "train/batch_tensors.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/loader.h"
#include "train/mix.h"
#include "train/objectives/difference.h"
#include "train/tensor_bridge.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;

at::Tensor row_of(const std::vector<float>& values) {
  return to_aten(graph::Tensor::from<float>({1, static_cast<int64_t>(values.size())}, values));
}

recipe::TaskOptions with_loss(const std::string& loss, double delta = 1) {
  recipe::TaskOptions options;
  options.loss = loss;
  options.huber_delta = delta;
  return options;
}

TEST(DifferenceLoss, FollowsTheFormulas) {
  const at::Tensor output = row_of({1, 2, 3, 4}).requires_grad_();
  const at::Tensor target = row_of({1, 2.5F, 1, 8});  // differences 0, -0.5, 2, -4
  const auto loss = [&](const recipe::TaskOptions& options) {
    return difference_loss(output, target, options).item<double>();
  };
  EXPECT_NEAR(loss(with_loss("mse")), (0.25 + 4 + 16) / 4, 1e-6);
  EXPECT_NEAR(loss(with_loss("auto")), (0.25 + 4 + 16) / 4, 1e-6);
  EXPECT_NEAR(loss(with_loss("mae")), 6.5 / 4, 1e-6);
  EXPECT_NEAR(loss(with_loss("huber", 1)), (0.125 + 1.5 + 3.5) / 4, 1e-6);
  EXPECT_NEAR(loss(with_loss("huber", 3)), (0.125 + 2 + 3 * (4 - 1.5)) / 4, 1e-6);
  EXPECT_THROW(loss(with_loss("cross_entropy")), core::Error);
  difference_loss(output, target, with_loss("huber", 1)).backward();
  const std::vector<double> slopes{0, -0.5 / 4, 1.0 / 4, -1.0 / 4};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(output.grad()[0][i].item<double>(), slopes[static_cast<size_t>(i)], 1e-6);
  }
}

data::Schema sensor_schema() {
  data::Schema schema;
  schema.task = "regression";
  schema.type = data::ElementType::F32;
  schema.sample_shape = {3};
  schema.target_names = {"sum", "gap"};
  return schema;
}

/// Two linear functions of three numbers.
data::DatasetPtr linear_data(int64_t samples, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<float> values;
  std::vector<float> targets;
  for (int64_t i = 0; i < samples; ++i) {
    std::array<float, 3> x{};
    for (float& value : x) {
      value = static_cast<float>(rng.normal());
    }
    values.insert(values.end(), x.begin(), x.end());
    targets.push_back(x[0] + x[1] + x[2]);
    targets.push_back(2 * x[0] - x[2] + 0.5F);
  }
  const auto bytes = std::as_bytes(std::span(values));
  return data::make_memory_dataset(sensor_schema(),
                                   {bytes.begin(), bytes.end()},
                                   std::vector<int64_t>(static_cast<size_t>(samples), -1),
                                   targets);
}

graph::Model linear_model() {
  graph::Builder builder(graph::DType::F32, {3}, core::Rng(1));
  const std::string x = builder.gemm(builder.input(), 2, true, "prediction");
  graph::Model model = builder.build({x});
  model.metadata.task = "regression";
  return model;
}

TrainingTask regression_task(const std::string& loss) {
  TrainingTask task;
  task.train = linear_data(256, 1);
  task.validation = linear_data(64, 2);
  task.options.task.loss = loss;
  task.options.epochs = 30;
  task.options.batch_size = 32;
  task.options.optimizer = {.name = "adam", .learning_rate = 0.05, .weight_decay = 0};
  return task;
}

class RegressionLoss : public ::testing::TestWithParam<std::string> {};

TEST_P(RegressionLoss, FindsALinearFunction) {
  const TrainingTask task = regression_task(GetParam());
  Network network(linear_model());
  const auto history = train(network, task);
  EXPECT_LT(history.back().validation_loss, 0.05);
  EXPECT_TRUE(std::isnan(history.back().accuracy));
  EXPECT_TRUE(std::isnan(history.back().validation_accuracy));
  const auto objective = make_objective(task.options, task.train->schema(), network.to_model());
  EXPECT_EQ(objective->task(), "regression");
  EXPECT_NEAR(
      mean_loss(network, *objective, *task.validation, 10), history.back().validation_loss, 1e-6);
  const graph::Model trained = network.to_model();
  const auto w = trained.weight("prediction.weight").data<float>();
  const std::vector<float> expected{1, 1, 1, 2, 0, -1};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(w[i], expected[i], 0.1) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, RegressionLoss, ::testing::Values("mse", "mae", "huber"));

TEST(Regression, MixedBatchesWeighBothTargets) {
  const TrainingTask task = regression_task("mse");
  Network network(linear_model());
  const auto objective = make_regression(task.options, network.to_model());
  LoadedBatch loaded;
  loaded.train_positions = {0, 1};
  task.train->read(loaded.train_positions, loaded.batch);
  const Activations values = network.forward(samples_of(loaded.batch, task.train->schema()));
  const auto loss = [&](const Mixing& mixing) {
    return objective->loss(values, loaded, mixing, nullptr).item<double>();
  };
  const double own = loss({});
  const double swapped = loss({{1, 0}, 0});
  EXPECT_GT(std::abs(own - swapped), 1e-3);
  EXPECT_NEAR(loss({{1, 0}, 0.7}), 0.7 * own + 0.3 * swapped, 1e-5);
}

TEST(Classification, MixedBatchesWeighBothLabels) {
  const auto dataset = testing::quarters(8, 1);
  Network network(testing::quarter_network(1));
  const auto objective = make_classification({}, network.to_model());
  LoadedBatch loaded;
  loaded.train_positions = {0, 1, 2, 3};
  dataset->read(loaded.train_positions, loaded.batch);
  const Activations values = network.forward(samples_of(loaded.batch, dataset->schema()));
  const auto loss = [&](const Mixing& mixing) {
    return objective->loss(values, loaded, mixing, nullptr).item<double>();
  };
  const std::vector<int64_t> partner{1, 2, 3, 0};
  EXPECT_NEAR(loss({partner, 0.25}), 0.25 * loss({}) + 0.75 * loss({partner, 0}), 1e-5);
  EXPECT_GT(std::abs(loss({}) - loss({partner, 0})), 1e-4);
}

/// 64 pixels through 6 numbers.
graph::Model auto_encoder(bool named_target = false) {
  graph::Builder builder(graph::DType::U8, {1, 8, 8}, core::Rng(1));
  std::string x = builder.normalise(builder.input(), {100}, {50});
  const std::string prepared = x;
  x = builder.relu(builder.gemm(builder.flatten(x), 6));
  x = builder.gemm(x, 64, true, "reconstruction");
  graph::Model model = builder.build({x});
  model.metadata.task = "reconstruction";
  if (named_target) {
    graph::Node* node = model.graph.find(prepared);
    for (graph::Node& reader : model.graph.nodes) {
      for (std::string& input : reader.inputs) {
        input = input == prepared ? "target" : input;
      }
    }
    node->name = "target";
    model.graph.outputs.push_back("target");
  }
  return model;
}

TrainingTask reconstruction_task() {
  TrainingTask task;
  task.train = testing::quarters(256, 1);
  task.validation = testing::quarters(64, 2);
  task.options.task.name = "reconstruction";
  task.options.epochs = 15;
  task.options.batch_size = 32;
  task.options.optimizer = {.name = "adam", .learning_rate = 0.01, .weight_decay = 0};
  return task;
}

TEST(Reconstruction, LearnsItsOwnPreparedInput) {
  for (const bool named : {false, true}) {
    const TrainingTask task = reconstruction_task();
    Network network(auto_encoder(named));
    EXPECT_EQ(reconstruction_target(network.to_model()) == "target", named);
    const auto history = train(network, task);
    EXPECT_LT(history.back().validation_loss, 0.5 * history.front().loss);
    const std::vector<double> errors = reconstruction_errors(network, *task.validation, 10);
    ASSERT_EQ(errors.size(), 64);
    double mean = 0;
    for (const double error : errors) {
      mean += error / 64;
    }
    EXPECT_NEAR(mean, history.back().validation_loss, 1e-5);
  }
}

TEST(Reconstruction, ErrorsAreMeanSquaresInPreparedUnits) {
  graph::Builder builder(graph::DType::U8, {2}, core::Rng(1));
  std::string x = builder.normalise(builder.input(), {10}, {5});
  x = builder.gemm(x, 2, true, "reconstruction");
  graph::Model model = builder.build({x});
  for (auto& [name, tensor] : model.weights) {
    if (name.starts_with("reconstruction")) {
      std::ranges::fill(tensor.data<float>(), 0.0F);  // says 0 of everything
    }
  }
  Network network(std::move(model));
  data::Schema schema;
  schema.task = "reconstruction";
  schema.sample_shape = {2};
  const auto dataset = data::make_memory_dataset(
      schema, {std::byte{20}, std::byte{10}, std::byte{0}, std::byte{25}}, {-1, -1});
  const auto errors = reconstruction_errors(network, *dataset);
  ASSERT_EQ(errors.size(), 2);
  EXPECT_NEAR(errors[0], (4 + 0) / 2.0, 1e-5);
  EXPECT_NEAR(errors[1], (4 + 9) / 2.0, 1e-5);
}

TEST(CheckModel, OutputsMustBeWhatTheTaskAsksFor) {
  EXPECT_NO_THROW(check_model_fits(linear_model(), sensor_schema(), "model"));
  data::Schema schema = sensor_schema();
  schema.target_names.push_back("third");
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] { check_model_fits(linear_model(), schema, "model"); }),
              ::testing::HasSubstr("3 targets"));
  const data::Schema images = testing::quarters(4, 1)->schema();
  EXPECT_NO_THROW(check_model_fits(auto_encoder(), images, "model"));
  graph::Model classifier = testing::quarter_network(1);
  classifier.metadata.task = "reconstruction";
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] { check_model_fits(classifier, images, "model"); }),
              ::testing::HasSubstr("64 values"));
  classifier.metadata.task = "regression";
  EXPECT_THROW(check_model_fits(classifier, images, "model"), core::Error);
}

/// Runs a train job on a model file and returns its folder.
std::filesystem::path run_job(const core::TemporaryFolder& folder,
                              const graph::Model& model,
                              const TrainingTask& task,
                              const std::string& options) {
  const auto out = folder.path() / "out";
  std::filesystem::create_directories(out);
  graph::save_onnx(model, folder.path() / "start.onnx");
  const jobs::JobSpec spec{
      "train",
      "job",
      1,
      {{"train", data::write_version(folder.path(), *task.train, {}, {}).file},
       {"validation", data::write_version(folder.path(), *task.validation, {}, {}).file},
       {"model", folder.path() / "start.onnx"}},
      options};
  const Components components = built_in_components();
  components.job_kinds.get("train")(
      {.spec = spec, .folder = out, .components = components, .on_progress = {}});
  return out;
}

TEST(TrainJob, AnAutoEncoderKnowsItsAnomalyThreshold) {
  const core::TemporaryFolder folder;
  const TrainingTask task = reconstruction_task();
  const auto out =
      run_job(folder,
              auto_encoder(),
              task,
              "train: {task: {name: reconstruction, anomaly_quantile: 0.75}, epochs: 2, "
              "threads: 1}\n");
  const graph::Model model = graph::load_onnx(out / "model.onnx");
  EXPECT_EQ(model.metadata.task, "reconstruction");
  ASSERT_TRUE(model.metadata.anomaly_threshold);
  Network network(model);
  const double threshold = *model.metadata.anomaly_threshold;
  const auto errors = reconstruction_errors(network, *task.validation);
  EXPECT_EQ(std::ranges::count_if(errors, [&](double e) { return e <= threshold; }), 48);
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_EQ(figures.at("anomaly_threshold"), threshold);
  EXPECT_FALSE(figures.contains("accuracy"));
}

TEST(TrainJob, RegressionHasALossAndNoAccuracy) {
  const core::TemporaryFolder folder;
  const auto out = run_job(folder,
                           linear_model(),
                           regression_task("huber"),
                           "train: {task: {loss: huber}, epochs: 2, threads: 1}\n");
  EXPECT_EQ(graph::load_onnx(out / "model.onnx").metadata.task, "regression");
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_FALSE(figures.contains("accuracy"));
  EXPECT_GT(figures.at("loss"), 0);
  EXPECT_TRUE(
      report::read_metrics(out / "metrics.jsonl").back().values.contains("validation_loss"));
}

}  // namespace

}  // namespace coppice::train
