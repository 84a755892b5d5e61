#include "loop/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "loop/tiny_world.h"

namespace coppice::loop {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Check : public ::testing::Test {
 protected:
  ExperimentOptions experiment() const {
    ExperimentOptions options;
    options.data = world_.data();
    return options;
  }

  TinyWorld world_;
};

TEST_F(Check, TakesWhatFits) {
  EXPECT_NO_THROW(check(world_.loop()));
  EXPECT_NO_THROW(check(experiment()));
}

TEST_F(Check, EveryDataFileMustExist) {
  const std::map<std::string, std::string DataOptions::*> files{
      {"train_images", &DataOptions::train_images},
      {"train_labels", &DataOptions::train_labels},
      {"test_images", &DataOptions::test_images},
      {"test_labels", &DataOptions::test_labels}};
  for (const auto& [name, file] : files) {
    LoopOptions loop = world_.loop();
    ExperimentOptions single = experiment();
    loop.data.*file = single.data.*file = "/nowhere/images";
    const auto message =
        AllOf(StartsWith("data." + name + ": "), HasSubstr("'/nowhere/images' does not exist"));
    EXPECT_ERROR(check(loop), NotFound, message);
    EXPECT_ERROR(check(single), NotFound, message);
  }
}

TEST_F(Check, HintsMustNameNodesOfTheNetworksToCome) {
  LoopOptions options = world_.loop();
  recipe::HintOptions hint;
  hint.teacher = hint.student = "logits";
  for (auto* distil : {&options.student.train.distil,
                       &options.compress.recover.distil,
                       &options.retrain.train.distil,
                       &options.retrain.recover.distil}) {
    distil->hints = {hint};
    EXPECT_NO_THROW(check(options));
    distil->hints[0].student = "logit";
    EXPECT_ERROR(check(options),
                 NotFound,
                 AllOf(HasSubstr(".distil.hints.0.student: "), HasSubstr("did you mean 'logits'")));
    distil->hints.clear();
  }
  ExperimentOptions single = experiment();
  single.student.train.distil.hints = {hint};
  EXPECT_ERROR(check(single), NotFound, StartsWith("student.train.distil.hints.0.of: "));
  single.use_teacher = true;
  EXPECT_NO_THROW(check(single));
}

TEST_F(Check, ClassesMustBeNamedInTheData) {
  LoopOptions options = world_.loop();
  options.field.scenario.withheld_classes = {"bottom right", "top lefd"};
  EXPECT_ERROR(check(options),
               NotFound,
               AllOf(StartsWith("field.scenario.withheld_classes.1: "),
                     HasSubstr("'top lefd'"),
                     HasSubstr("did you mean 'top left'")));
  options = world_.loop();
  options.field.scenario.phases[2].classes.back() = "zebra";
  EXPECT_ERROR(check(options),
               NotFound,
               AllOf(StartsWith("field.scenario.phases.2.classes.3: "), HasSubstr("'zebra'")));
}

TEST_F(Check, NetworksAndCriteriaMustExist) {
  LoopOptions options = world_.loop();
  options.teacher.model.name = "cnnn";
  EXPECT_ERROR(check(options),
               NotFound,
               AllOf(StartsWith("teacher.model.name: "), HasSubstr("did you mean 'cnn'")));
  options = world_.loop();
  options.student.model.name = "lenet";
  EXPECT_ERROR(check(options), NotFound, StartsWith("student.model.name: "));
  options = world_.loop();
  options.compress.prune.criterion = "l3";
  EXPECT_ERROR(check(options), NotFound, StartsWith("compress.prune.criterion: "));
}

TEST_F(Check, WhatIsSwitchedOffIsNotChecked) {
  ExperimentOptions options = experiment();
  options.teacher.model.name = "lenet";
  options.compress.enabled = false;
  options.compress.prune.criterion = "l3";
  EXPECT_NO_THROW(check(options));
  options.use_teacher = true;
  EXPECT_ERROR(check(options), NotFound, StartsWith("teacher.model.name: "));
}

TEST_F(Check, TransformsMustFitImages) {
  LoopOptions options = world_.loop();
  options.field.scenario.phases[1].transforms.push_back({"rotat", 1, 0, 10});
  EXPECT_ERROR(check(options), NotFound, StartsWith("field.scenario.phases.1.transforms.1: "));
  options = world_.loop();
  options.field.scenario.phases[1].transforms[0].low = -7;
  EXPECT_ERROR(
      check(options), InvalidArgument, StartsWith("field.scenario.phases.1.transforms.0: "));
  using Training = recipe::TrainOptions& (*)(LoopOptions&);
  const std::map<std::string, Training> trainings{
      {"student.train", [](LoopOptions & o) -> auto& {return o.student.train;
}
}  // namespace

, {"teacher.train", [](LoopOptions& o) -> auto& {return o.teacher.train;
}  // namespace coppice::loop
}
, {"compress.recover", [](LoopOptions& o) -> auto& {return o.compress.recover;
}
}
, {"retrain.train", [](LoopOptions& o) -> auto& {return o.retrain.train;
}
}
, {
  "retrain.recover", [](LoopOptions & o) -> auto& {
    return o.retrain.recover;
  }
}
}
;
for (const auto& [field, training] : trainings) {
  options = world_.loop();
  training(options).augmentation = {{"flip", 0.5, 0, 0}, {"noise", 1, 2, 3}};
  EXPECT_ERROR(check(options), InvalidArgument, StartsWith(field + ".augmentation.1: "));
}
}

TEST_F(Check, ALoopNeedsAPhase) {
  LoopOptions options = world_.loop();
  options.field.scenario.phases.clear();
  EXPECT_ERROR(check(options), InvalidArgument, StartsWith("field.scenario.phases: "));
}

TEST_F(Check, OptionsReadBackAsTheyWereDumped) {
  const LoopOptions options = world_.loop();
  const std::string text = core::dump_options(options);
  const auto read = core::read_options<LoopOptions>(core::parse_config_text(text, "dump"));
  EXPECT_EQ(core::dump_options(read), text);
  EXPECT_THAT(text, HasSubstr("withheld_classes"));
}

}  // namespace
}  // namespace coppice::loop
