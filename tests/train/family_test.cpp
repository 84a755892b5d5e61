// Several networks that train together and teach each other.

#include "train/distillation/family.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "data/store.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "report/metrics_log.h"
#include "samples.h"
#include "states.h"
#include "train/batch_tensors.h"
#include "train/components.h"
#include "train/distillation/distillation.h"
#include "train/evaluate.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;
using ::testing::HasSubstr;
using testing::quarter_input;
using testing::quarters;

graph::Model member_of_width(int64_t width, uint64_t seed) {
  return graph::build_model({.name = "cnn", .widths = {width}}, quarter_input(), seed);
}

NamedModels three_members() {
  return {{"large", member_of_width(8, 1)},
          {"middle", member_of_width(4, 2)},
          {"small", member_of_width(2, 3)}};
}

TrainingTask family_task(int64_t epochs) {
  TrainingTask task;
  task.train = quarters(96, 1);
  task.options.epochs = epochs;
  task.options.batch_size = 32;
  task.seed = 7;
  return task;
}

recipe::TrainFamilyJob family_job(const std::string& learn_from, double alpha) {
  recipe::TrainFamilyJob job;
  job.learn_from = learn_from;
  job.train.distil.alpha = alpha;
  return job;
}

graph::Model train_family(const recipe::TrainFamilyJob& job,
                          TrainingTask task,
                          const TrainingState* resume = nullptr) {
  Network network(join_members(three_members()));
  const auto objective = make_family_objective(job, network.graph());
  task.objective = objective.get();
  train(network, task, resume);
  return network.to_model();
}

std::string hash_of(const graph::Model& joint, const std::string& member) {
  return graph::content_hash(take_member(joint, member));
}

std::string hash_alone(const graph::Model& model) {
  Network network(model);
  train(network, family_task(2));
  return graph::content_hash(network.to_model());
}

TEST(Family, MembersComeBackAsTheyWere) {
  const NamedModels members = three_members();
  const graph::Model joint = join_members(members);
  EXPECT_NO_THROW(graph::verify(joint));
  Network together(joint);
  LoadedBatch batch{.batch = {}, .train_positions = {0, 1, 2}, .replay_positions = {}};
  const auto data = quarters(8, 1);
  data->read(batch.train_positions, batch.batch);
  const at::Tensor samples = samples_of(batch.batch, data->schema());
  const Activations said = together.forward(samples);
  for (const auto& [name, model] : members) {
    EXPECT_EQ(hash_of(joint, name), graph::content_hash(model)) << name;
    Network alone(model);
    EXPECT_TRUE(said.at(name + "/logits").equal(alone.logits(samples))) << name;
  }
}

TEST(Family, TheFirstMemberLearnsAsIfItWereAlone) {
  const graph::Model joint = train_family(family_job("first", 0.7), family_task(2));
  EXPECT_EQ(hash_of(joint, "large"), hash_alone(three_members()[0].second));
  EXPECT_NE(hash_of(joint, "small"), hash_alone(three_members()[2].second));
}

TEST(Family, WithoutAlphaEveryMemberLearnsFromLabelsAlone) {
  for (const char* from : {"first", "each_other"}) {
    const graph::Model joint = train_family(family_job(from, 0), family_task(2));
    for (const auto& [name, model] : three_members()) {
      EXPECT_EQ(hash_of(joint, name), hash_alone(model)) << from << " " << name;
    }
  }
}

TEST(Family, LearningFromEachOtherChangesEveryMember) {
  const graph::Model joint = train_family(family_job("each_other", 0.5), family_task(2));
  const graph::Model first = train_family(family_job("first", 0.5), family_task(2));
  for (const auto& [name, model] : three_members()) {
    EXPECT_NE(hash_of(joint, name), hash_alone(model)) << name;
    EXPECT_NE(hash_of(joint, name), hash_of(first, name)) << name;
  }
}

TEST(Family, TheLossIsTheSumOfItsMembers) {
  recipe::TrainFamilyJob job = family_job("first", 0.3);
  job.train.distil.temperature = 2;
  Network network(join_members(three_members()));
  LoadedBatch batch{.batch = {}, .train_positions = {0, 1, 2, 3, 4}, .replay_positions = {}};
  const auto data = quarters(8, 1);
  data->read(batch.train_positions, batch.batch);
  const Activations values = network.forward(samples_of(batch.batch, data->schema()));
  const at::Tensor labels = labels_of(batch.batch);
  const auto hard = [&](const std::string& member) {
    return cross_entropy(values.at(member + "/logits"), labels, 0).item<double>();
  };
  const auto soft = [&](const std::string& member, const std::string& teacher) {
    const Activations none;
    const Mixing unmixed;
    return Distillation(job.train.distil)
        .target_loss({values.at(member + "/logits"), none, labels, unmixed},
                     {{values.at(teacher + "/logits"), {}}})
        .item<double>();
  };
  const auto loss = [&] {
    return make_family_objective(job, network.graph())
        ->loss(values, batch, {}, nullptr)
        .item<double>();
  };
  EXPECT_NEAR(loss(),
              hard("large") + 0.7 * (hard("middle") + hard("small")) +
                  0.3 * (soft("middle", "large") + soft("small", "large")),
              1e-4);
  job.learn_from = "each_other";
  EXPECT_NEAR(loss(),
              0.7 * (hard("large") + hard("middle") + hard("small")) +
                  0.3 / 2 *
                      (soft("large", "middle") + soft("large", "small") + soft("middle", "large") +
                       soft("middle", "small") + soft("small", "large") + soft("small", "middle")),
              1e-4);
}

TEST(Family, ARunResumedAtAnyStepEndsAsAnUninterruptedOne) {
  for (const char* from : {"first", "each_other"}) {
    TrainingTask task = family_task(2);
    task.options.checkpoint.every_steps = 1;
    std::vector<TrainingState> states;
    task.on_checkpoint = [&](const TrainingState& state) {
      states.push_back(testing::copy_of(state));
    };
    const recipe::TrainFamilyJob job = family_job(from, 0.7);
    const std::string whole = graph::content_hash(train_family(job, task));
    task.on_checkpoint = {};
    ASSERT_GE(states.size(), 6u);
    for (const TrainingState& state : states) {
      EXPECT_EQ(graph::content_hash(train_family(job, task, &state)), whole) << from;
    }
  }
}

TEST(Family, MembersOfOtherInputsAreRefused) {
  graph::ModelOptions options;
  options.name = "mlp";
  options.widths = {4};
  graph::ModelInput input;
  input.sample_shape = {1, 4, 4};
  input.class_names = {"a", "b"};
  NamedModels members = three_members();
  members.emplace_back("other", graph::build_model(options, input, 1));
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument, [&] { join_members(members); }),
              HasSubstr("'other' takes another input than 'large'"));
}

TEST(Family, TheJobWritesAModelOfEachMember) {
  const core::TemporaryFolder folder;
  const auto out = folder.path() / "out";
  std::filesystem::create_directories(out);
  const jobs::JobSpec spec{
      "train_family",
      "family",
      1,
      {{"train", data::write_version(folder.path(), *quarters(256, 1), {}, {}).file},
       {"validation", data::write_version(folder.path(), *quarters(64, 2), {}, {}).file}},
      "members:\n"
      "  - {name: large, model: {name: mlp, widths: [16]}}\n"
      "  - {name: small, model: {name: mlp, widths: [8]}}\n"
      "train: {epochs: 8, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.05}}\n"};
  const Components components = built_in_components();
  const auto run = [&] {
    components.job_kinds.get("train_family")(
        {.spec = spec, .folder = out, .components = components, .on_progress = {}});
  };
  run();
  const auto figures = report::read_figures(out / "summary.json");
  for (const std::string member : {"large", "small"}) {
    const graph::Model model = graph::load_onnx(out / member / "model.onnx");
    EXPECT_EQ(model.graph.outputs, std::vector<std::string>{"logits"});
    Network network(model);
    EXPECT_DOUBLE_EQ(evaluate(network, *quarters(64, 2)).accuracy,
                     figures.at("accuracy." + member));
    EXPECT_GT(figures.at("accuracy." + member), 0.85) << member;
    EXPECT_GT(figures.at("step_ms." + member), 0);
  }
  EXPECT_NEAR(figures.at("cost_ratio"), figures.at("step_ms") / figures.at("step_ms.large"), 1e-9);
  EXPECT_EQ(figures.at("macs"), figures.at("macs.large") + figures.at("macs.small"));
  EXPECT_TRUE(std::filesystem::exists(out / "report.html"));
  // Taken up again, a finished run leaves its models as they were.
  const core::Bytes before = core::read_file(out / "small" / "model.onnx");
  run();
  EXPECT_EQ(core::read_file(out / "small" / "model.onnx"), before);
}

}  // namespace

}  // namespace coppice::train
