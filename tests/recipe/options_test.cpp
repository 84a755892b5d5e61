#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"
#include "recipe/recipe.h"

namespace coppice::recipe {

namespace {

using ::testing::HasSubstr;

TrainJob job_from(const std::string& text) {
  return core::read_options<TrainJob>(core::parse_config_text(text, "job.yaml"));
}

std::string config_error(const std::string& text) {
  try {
    job_from(text);
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::Config);
    return error.what();
  }
  return "";
}

TEST(TrainJobOptions, ReadBackAsTheyWereDumped) {
  TrainJob job;
  job.train.optimizer.name = "rmsprop";
  job.train.schedule.name = "multi_step";
  job.train.schedule.milestones = {3, 7};
  job.train.penalty.group_lasso = 1e-3;
  job.train.mix.cutmix_alpha = 0.5;
  job.train.early_stopping.patience = 4;
  job.train.checkpoint.every_steps = 100;
  const std::string text = core::dump_options(job);
  const TrainJob read = job_from(text);
  EXPECT_EQ(core::dump_options(read), text);
  EXPECT_EQ(read.train.schedule.milestones, job.train.schedule.milestones);
  EXPECT_EQ(read.train.mix.cutmix_alpha, 0.5);
  EXPECT_EQ(read.train.checkpoint.every_steps, 100);
}

TEST(TrainJobOptions, ALearningRateOfZeroIsRefusedWhereItStands) {
  const std::string message =
      config_error("train:\n  epochs: 2\n  optimizer: {name: sgd, learning_rate: 0}\n");
  EXPECT_THAT(message, HasSubstr("job.yaml:3:"));
  EXPECT_THAT(message, HasSubstr("learning_rate"));
  EXPECT_THAT(config_error("train: {optimizer: {learning_rate: -0.1}}"),
              HasSubstr("learning_rate"));
}

TEST(TrainJobOptions, ValuesOutOfRangeAreRefused) {
  for (const char* text : {"train: {ema_decay: 1}",
                           "train: {sam_rho: -1}",
                           "train: {penalty: {l1: -1}}",
                           "train: {mix: {cutout_side: 2}}",
                           "train: {schedule: {name: cosin}}",
                           "train: {optimizer: {name: rmsprob}}",
                           "train: {task: {loss: mze}}",
                           "train: {early_stopping: {patience: -1}}",
                           "train: {checkpoint: {every_steps: -1}}"}) {
    EXPECT_NE(config_error(text), "") << text;
  }
}

}  // namespace

}  // namespace coppice::recipe
