#include "recipe/train_family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"

namespace coppice::recipe {

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kTwo =
    "members:\n"
    "  - {name: large, model: {name: mlp, widths: [16]}}\n"
    "  - {name: small, model: {name: mlp, widths: [8]}}\n";

std::string family_refusal(const std::string& text, const std::string& task = "classification") {
  data::Schema schema;
  schema.task = task;
  schema.sample_shape = {20};
  try {
    check(core::read_options<TrainFamilyJob>(core::parse_config_text(text, "family.yaml")), schema);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

TEST(TrainFamily, MembersNeedNamesOfTheirOwn) {
  EXPECT_EQ(family_refusal(kTwo), "");
  EXPECT_THAT(family_refusal("members: [{name: one}]"), StartsWith("members: 1 given"));
  EXPECT_THAT(family_refusal("members: [{name: one}, {name: one}]"),
              StartsWith("members.1.name: two members"));
  EXPECT_THAT(family_refusal("members: [{name: one}, {name: ../two}]"),
              StartsWith("members.1.name: '../two'"));
  EXPECT_THAT(family_refusal("members: [{name: one}, {model: {name: mlp}}]"), HasSubstr("name"));
}

TEST(TrainFamily, WhatMembersCannotLearnIsRefused) {
  const std::string two = kTwo;
  EXPECT_THAT(family_refusal(two, "regression"), StartsWith("train.task.name: "));
  EXPECT_THAT(family_refusal(two + "train: {distil: {hints: [{teacher: a, student: b}]}}"),
              StartsWith("train.distil.hints: "));
  EXPECT_THAT(family_refusal(two + "train: {distil: {method: none}}"),
              StartsWith("train.distil: "));
  EXPECT_THAT(family_refusal(two + "train: {mix: {cutmix_alpha: 1}}"),
              StartsWith("train.mix.cutmix_alpha: "));
  EXPECT_THAT(family_refusal(two + "learn_from: second"), HasSubstr("learn_from"));
}

}  // namespace

}  // namespace coppice::recipe
