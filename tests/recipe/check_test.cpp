#include "recipe/check.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::recipe {

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

data::Schema schema_with_shape(std::vector<int64_t> shape, std::string task = "classification") {
  data::Schema schema;
  schema.task = std::move(task);
  schema.sample_shape = std::move(shape);
  return schema;
}

/// The message with which changed options are refused; empty when they are not.
std::string refusal(const data::Schema& schema, const std::function<void(TrainOptions&)>& change) {
  TrainOptions options;
  change(options);
  try {
    check(options, schema);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

const data::Schema kImages = schema_with_shape({3, 32, 32});
const data::Schema kWindows = schema_with_shape({6, 128});
const data::Schema kVectors = schema_with_shape({20});

TEST(Check, DefaultsFitEveryShapeAndTask) {
  for (const std::string task : {"classification", "regression", "reconstruction"}) {
    for (const auto& shape : {std::vector<int64_t>{3, 32, 32}, {6, 128}, {20}}) {
      EXPECT_EQ(refusal(schema_with_shape(shape, task), [](TrainOptions&) {}), "");
    }
  }
}

TEST(Check, AugmentationMustFitTheSamples) {
  const auto rotate = [](TrainOptions& o) {
    o.augmentation = {{"noise", 1, 0, 0.1}, {"rotate", 1, 0, 10}};
  };
  EXPECT_EQ(refusal(kImages, rotate), "");
  EXPECT_THAT(refusal(kVectors, rotate), AllOf(StartsWith("augmentation.1: "), HasSubstr("[20]")));
  EXPECT_THAT(refusal(kImages,
                      [](auto& o) {
                        o.augmentation = {{"rotat", 1, 0, 10}};
                      }),
              AllOf(StartsWith("augmentation.0: "), HasSubstr("rotat")));
}

TEST(Check, WhatCutsNeedsSomethingToCut) {
  const auto cutmix = [](TrainOptions& o) {
    o.mix.cutmix_alpha = 1;
  };
  const auto cutout = [](TrainOptions& o) {
    o.mix.cutout_side = 0.5;
  };
  for (const data::Schema& schema : {kImages, kWindows}) {
    EXPECT_EQ(refusal(schema, cutmix), "");
    EXPECT_EQ(refusal(schema, cutout), "");
  }
  EXPECT_THAT(refusal(kVectors, cutmix), StartsWith("mix.cutmix_alpha: "));
  EXPECT_THAT(refusal(kVectors, cutout), StartsWith("mix.cutout_side: "));
  EXPECT_EQ(refusal(kVectors, [](auto& o) { o.mix.mixup_alpha = 0.2; }), "");
}

TEST(Check, AutoEncodersLearnNoMixtures) {
  EXPECT_THAT(refusal(schema_with_shape({3, 8, 8}, "reconstruction"),
                      [](auto& o) { o.mix.mixup_alpha = 0.2; }),
              StartsWith("mix.mixup_alpha: "));
}

TEST(Check, TheLossMustFitTheTask) {
  const data::Schema regression = schema_with_shape({20}, "regression");
  EXPECT_EQ(refusal(regression, [](auto& o) { o.task.loss = "huber"; }), "");
  EXPECT_THAT(refusal(regression, [](auto& o) { o.task.loss = "cross_entropy"; }),
              AllOf(StartsWith("task.loss: "), HasSubstr("use mse, mae or huber")));
  EXPECT_THAT(refusal(kImages, [](auto& o) { o.task.loss = "mae"; }), StartsWith("task.loss: "));
  EXPECT_THAT(refusal(regression, [](auto& o) { o.label_smoothing = 0.1; }),
              StartsWith("label_smoothing: "));
}

TEST(Check, AnyDataCanBeReconstructedButNotRegressed) {
  EXPECT_EQ(refusal(kImages, [](auto& o) { o.task.name = "reconstruction"; }), "");
  EXPECT_THAT(refusal(kImages, [](auto& o) { o.task.name = "regression"; }),
              AllOf(StartsWith("task.name: "), HasSubstr("classification")));
}

TEST(Check, TheScheduleMustFitTheRun) {
  EXPECT_THAT(refusal(kImages,
                      [](auto& o) {
                        o.epochs = 3;
                        o.schedule.warmup_epochs = 4;
                      }),
              AllOf(StartsWith("schedule.warmup_epochs: "), HasSubstr("3 epochs")));
  const auto milestones = [](std::vector<int64_t> at) {
    return refusal(kImages, [&](auto& o) {
      o.schedule.name = "multi_step";
      o.schedule.milestones = at;
    });
  };
  EXPECT_EQ(milestones({2, 5}), "");
  for (const auto& wrong : {std::vector<int64_t>{}, {5, 2}, {2, 2}}) {
    EXPECT_THAT(milestones(wrong), StartsWith("schedule.milestones: "));
  }
  EXPECT_THAT(refusal(kImages,
                      [](auto& o) {
                        o.schedule.lowest_momentum = 0.9;
                        o.schedule.highest_momentum = 0.8;
                      }),
              StartsWith("schedule.lowest_momentum: "));
}

TEST(Check, StructureThatTrainingWouldLoseIsRefused) {
  const auto growing = [](auto& o) {
    o.sparsity.share = 0.9;
  };
  EXPECT_EQ(refusal(kImages, growing), "");
  EXPECT_THAT(refusal(kImages,
                      [&](auto& o) {
                        growing(o);
                        o.ema_decay = 0.99;
                      }),
              StartsWith("ema_decay: "));
  EXPECT_THAT(refusal(kImages,
                      [&](auto& o) {
                        growing(o);
                        o.early_stopping.patience = 3;
                      }),
              StartsWith("early_stopping.patience: "));
  EXPECT_THAT(refusal(kImages,
                      [&](auto& o) {
                        growing(o);
                        o.keep = "shared";
                      }),
              StartsWith("sparsity.share: "));
  EXPECT_THAT(refusal(kImages,
                      [&](auto& o) {
                        growing(o);
                        o.sparsity.begin = 0.9;
                      }),
              AllOf(StartsWith("sparsity.begin: "), HasSubstr("0.75")));
}

/// Zhu and Gupta, 2017, equation 1: s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3.
TEST(Sparsity, GrowsByTheCubicSchedule) {
  const SparsityOptions options{
      .share = 0.9, .initial_share = 0.1, .begin = 0.1, .end = 0.6, .every_steps = 20};
  EXPECT_DOUBLE_EQ(sparsity_after(options, 0.9, 100, 1000), 0.1);
  EXPECT_NEAR(sparsity_after(options, 0.9, 225, 1000), 0.9 - 0.8 * std::pow(0.75, 3), 1e-12);
  EXPECT_NEAR(sparsity_after(options, 0.9, 350, 1000), 0.9 - 0.8 * std::pow(0.5, 3), 1e-12);
  EXPECT_DOUBLE_EQ(sparsity_after(options, 0.9, 600, 1000), 0.9);
  EXPECT_DOUBLE_EQ(sparsity_after(options, 0.9, 1000, 1000), 0.9);
  EXPECT_DOUBLE_EQ(sparsity_after(options, 0.05, 100, 1000), 0.05) << "never more than in the end";
  EXPECT_FALSE(cuts_after(options, 80, 1000));
  EXPECT_TRUE(cuts_after(options, 100, 1000));
  EXPECT_FALSE(cuts_after(options, 110, 1000));
  EXPECT_TRUE(cuts_after(options, 120, 1000));
  EXPECT_TRUE(cuts_after(options, 600, 1000));
  EXPECT_FALSE(cuts_after(options, 620, 1000));
  SparsityOptions odd = options;
  odd.every_steps = 300;
  EXPECT_TRUE(cuts_after(odd, 600, 1000)) << "the last cut is made whatever the rhythm";
}

TEST(TaskOf, AutoIsTheDatasOwn) {
  EXPECT_EQ(task_of({}, schema_with_shape({2}, "regression")), "regression");
  TaskOptions options;
  options.name = "reconstruction";
  EXPECT_EQ(task_of(options, kImages), "reconstruction");
  EXPECT_EQ(loss_of({}, "classification"), "cross_entropy");
  EXPECT_EQ(loss_of({}, "reconstruction"), "mse");
}

}  // namespace

}  // namespace coppice::recipe
