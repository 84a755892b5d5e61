#include "compress/class_bias.h"

#include <array>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/rng.h"
#include "graph/zoo.h"

namespace coppice::compress {
namespace {

using ::testing::HasSubstr;

int errors_with(std::span<const float> logits,
                std::span<const int64_t> labels,
                size_t classes,
                size_t c,
                double shift) {
  int errors = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    size_t best = 0;
    const auto value = [&](size_t k) {
      return static_cast<double>(logits[i * classes + k]) + (k == c ? shift : 0);
    };
    for (size_t k = 1; k < classes; ++k) {
      best = value(k) > value(best) ? k : best;
    }
    errors += static_cast<int64_t>(best) == labels[i] ? 0 : 1;
  }
  return errors;
}

TEST(ClassBias, RaisesAClassThatIsNeverAnsweredJustEnough) {
  // Samples of class 2 lack 3 and 4 of the others' logits, one of class 0 lacks 5.
  const std::array<float, 9> logits{1, 4, 1, 6, 1, 2, 5, 0, 0};
  const std::array<int64_t, 3> labels{2, 2, 0};
  EXPECT_DOUBLE_EQ(best_logit_shift(logits, labels, 3, 2), 4.5);
  EXPECT_EQ(errors_with(logits, labels, 3, 2, 4.5), 0);
}

TEST(ClassBias, LeavesWhatIsRightAlone) {
  const std::array<float, 4> logits{1, 0, 0, 1};
  const std::array<int64_t, 2> labels{0, 1};
  EXPECT_EQ(best_logit_shift(logits, labels, 2, 1), 0);
  EXPECT_EQ(best_logit_shift({}, {}, 2, 1), 0);
}

TEST(ClassBias, NoShiftGivesFewerErrors) {
  core::Rng rng(3);
  constexpr size_t kClasses = 4;
  std::vector<float> logits(200 * kClasses);
  std::vector<int64_t> labels(200);
  for (float& value : logits) {
    value = static_cast<float>(rng.normal());
  }
  for (int64_t& label : labels) {
    label = static_cast<int64_t>(rng.below(kClasses));
  }
  for (size_t c = 0; c < kClasses; ++c) {
    const double shift = best_logit_shift(logits, labels, kClasses, static_cast<int64_t>(c));
    const int fewest = errors_with(logits, labels, kClasses, c, shift);
    for (double other = -6; other < 6; other += 0.01) {
      EXPECT_LE(fewest, errors_with(logits, labels, kClasses, c, other)) << c << " " << other;
    }
  }
}

TEST(ClassBias, RefusesLogitsThatAreNoNumbers) {
  const std::array<int64_t, 2> labels{0, 1};
  for (const float broken :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::array<float, 4> logits{1, 2, broken, 1};
    EXPECT_ERROR(best_logit_shift(logits, labels, 2, 1), Numeric, HasSubstr("not finite"));
  }
}

TEST(ClassBias, ShiftsTheOutputsBias) {
  graph::ModelOptions options;
  options.name = "mlp";
  options.widths = {4};
  graph::ModelInput input;
  input.sample_shape = {3};
  input.class_names = {"a", "b"};
  const graph::Model model = graph::build_model(options, input, 1);
  const graph::Model shifted = shift_class_bias(model, 1, 2.5);
  EXPECT_EQ(shifted.weight("logits.bias").data<float>()[1],
            model.weight("logits.bias").data<float>()[1] + 2.5F);
  EXPECT_EQ(shifted.weight("logits.bias").data<float>()[0],
            model.weight("logits.bias").data<float>()[0]);
  EXPECT_ERROR(shift_class_bias(model, 2, 1), InvalidArgument, HasSubstr("class 2"));
  graph::Model open_ended = model;
  open_ended.graph.outputs = {"logits"};
  open_ended.graph.find("logits")->inputs.pop_back();
  EXPECT_ERROR(shift_class_bias(open_ended, 0, 1), Unsupported, HasSubstr("no float Gemm"));
}

}  // namespace
}  // namespace coppice::compress
