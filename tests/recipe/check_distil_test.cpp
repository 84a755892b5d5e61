#include "recipe/check_distil.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"
#include "graph/zoo.h"
#include "recipe/recipe.h"

namespace coppice::recipe {

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

graph::Model cnn_of(std::vector<int64_t> widths) {
  graph::ModelOptions options;
  options.widths = std::move(widths);
  graph::ModelInput input;
  input.class_names = {"a", "b"};
  return graph::build_model(options, input, 1);
}

DistilOptions distil_from(const std::string& text) {
  return core::read_options<DistilOptions>(core::parse_config_text(text, "distil.yaml"));
}

/// How a student of two stages refuses hints from a teacher of three; empty where it does not.
std::string hint_refusal(const std::string& hint) {
  const graph::Model student = cnn_of({4, 8});
  const graph::Model teacher = cnn_of({6, 12, 24});
  try {
    check_hints(distil_from("hints: [" + hint + "]"), student.graph, {{"teacher", &teacher.graph}});
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckDistil, HintsMayNameAnyNodesThatTheirMethodCompares) {
  for (const char* method : {"fitnets", "attention", "rkd", "similarity", "pkt"}) {
    EXPECT_EQ(hint_refusal(std::string("{teacher: relu2, student: conv2, method: ") + method + "}"),
              "")
        << method;
  }
  for (const char* method : {"rkd", "similarity", "pkt"}) {
    EXPECT_EQ(
        hint_refusal(std::string("{teacher: relu3, student: logits, method: ") + method + "}"), "")
        << method;
  }
  EXPECT_EQ(hint_refusal("{teacher: relu1, student: relu2, method: attention}"), "");
  EXPECT_EQ(hint_refusal("{teacher: logits, student: logits}"), "");
}

TEST(CheckDistil, UnknownNodesAreNamedWithTheNearestAndAll) {
  EXPECT_THAT(hint_refusal("{teacher: relu33, student: relu1}"),
              AllOf(StartsWith("distil.hints.0.teacher: "),
                    HasSubstr("no node 'relu33' (did you mean 'relu3'?)"),
                    HasSubstr("conv1, "),
                    HasSubstr("logits")));
  EXPECT_THAT(hint_refusal("{teacher: relu3, student: relu3}"),
              AllOf(StartsWith("distil.hints.0.student: "), HasSubstr("did you mean 'relu")));
  EXPECT_THAT(hint_refusal("{teacher: relu3, student: relu2, of: teacher2}"),
              AllOf(StartsWith("distil.hints.0.of: "), HasSubstr("did you mean 'teacher'")));
}

TEST(CheckDistil, ShapesThatAMethodCannotCompareAreExplained) {
  EXPECT_THAT(hint_refusal("{teacher: relu1, student: relu2}"),
              AllOf(HasSubstr("8, 14, 14]"), HasSubstr("6, 28, 28]")));
  EXPECT_THAT(hint_refusal("{teacher: logits, student: logits, method: attention}"),
              HasSubstr("positions"));
  EXPECT_THAT(hint_refusal("{teacher: relu1, student: input, method: rkd}"),
              HasSubstr("'input' holds"));
}

TEST(CheckDistil, OptionsOfAMethodBelongToItAlone) {
  EXPECT_EQ(distil_from("hints: [{teacher: a, student: b, method: rkd, angle: 3}]").hints[0].angle,
            3);
  EXPECT_THROW(distil_from("hints: [{teacher: a, student: b, method: pkt, angle: 3}]"),
               core::Error);
  EXPECT_THROW(distil_from("{method: soft, dkd_beta: 3}"), core::Error);
  EXPECT_THROW(distil_from("hints: [{teacher: a}]"), core::Error);
  EXPECT_EQ(distil_from("{temperature: 4, alpha: 0.7}").method, "soft");
}

TEST(CheckDistil, WhatLeavesNothingToLearnIsRefused) {
  EXPECT_THROW(check_distil(distil_from("{method: none, alpha: 1}"), false), core::Error);
  EXPECT_NO_THROW(check_distil(
      distil_from("{method: none, alpha: 1, hints: [{teacher: a, student: b}]}"), false));
  EXPECT_THROW(check_distil(distil_from("self: true"), false), core::Error);
  EXPECT_NO_THROW(check_distil(distil_from("self: true"), true));
  EXPECT_THROW(check_distil(distil_from("teacher_weights: [0, 0]"), false), core::Error);
}

}  // namespace

}  // namespace coppice::recipe
