#include "compress/sensitivity.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>

#include "compress/criteria.h"
#include "compress/network.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

/// As if accuracy fell with the outputs of conv1 alone.
double worth_of_conv1(const graph::Model& model) {
  return static_cast<double>(model.weight("conv1.weight").dim(0)) / 8;
}

TEST(SensitivityScan, CutsOneGroupAfterTheOther) {
  const graph::Model model = make_cnn();
  const auto scan = sensitivity(model, find_groups(model), {0.25, 0.5}, worth_of_conv1);
  EXPECT_EQ(scan.score, 1);
  ASSERT_EQ(scan.rows.size(), 6U) << "conv1, conv2 and fc; the logits stay";
  EXPECT_EQ(scan.rows[0].group, "conv1");
  EXPECT_EQ(scan.rows[0].before, 8);
  EXPECT_EQ(scan.rows[0].after, 6);
  EXPECT_EQ(scan.rows[0].score, 0.75);
  EXPECT_EQ(scan.rows[1].score, 0.5);
  EXPECT_EQ(scan.rows[2].group, "conv2");
  EXPECT_EQ(scan.rows[2].after, 9);
  EXPECT_EQ(scan.rows[2].score, 1);
  for (const SensitivityRow& row : scan.rows) {
    EXPECT_LT(row.macs_ratio, 1);
    EXPECT_GT(row.macs_ratio, 0.3);
  }
}

TEST(SensitivityScan, KeepsTheMostImportant) {
  const graph::Model model = make_cnn();
  const auto groups = find_groups(model);
  const auto weakest = weakest_first(score_channels("l1", model, groups[0]));
  const float strongest = model.weight("bn1.bias").data<float>()[static_cast<size_t>(weakest[7])];
  bool kept = true;
  const auto look = [&](const graph::Model& cut) {
    const auto biases = cut.weight("bn1.bias").data<float>();
    kept = kept && std::find(biases.begin(), biases.end(), strongest) != biases.end();
    return 0.0;
  };
  const auto scan = sensitivity(model, groups, {0.99}, look, "l1");
  EXPECT_TRUE(kept);
  EXPECT_EQ(scan.rows[0].after, 1) << "one stays";
}

TEST(SensitivityScan, TellsWhatEachGroupBears) {
  const graph::Model model = make_cnn();
  const auto scan = sensitivity(model, find_groups(model), {0.5, 0.25, 0.125}, worth_of_conv1);
  EXPECT_THAT(bearable_shares(scan, 0.26),
              ElementsAre(Pair("conv1", 0.25), Pair("conv2", 0.5), Pair("fc", 0.5)));
  EXPECT_THAT(bearable_shares(scan, 0.01),
              ElementsAre(Pair("conv1", 0), Pair("conv2", 0.5), Pair("fc", 0.5)));
}

TEST(SensitivityScan, AScoreThatIsNoNumberIsNotBorne) {
  const Sensitivity scan{
      .score = 1,
      .rows = {{.group = "conv1", .share = 0.25, .score = 1},
               {.group = "conv1", .share = 0.5, .score = std::numeric_limits<double>::quiet_NaN()},
               {.group = "conv1", .share = 0.75, .score = 1}}};
  EXPECT_THAT(bearable_shares(scan, 0.1), ElementsAre(Pair("conv1", 0.25)));
}

TEST(SensitivityScan, ScansTheNamedGroupsAlone) {
  const graph::Model model = make_cnn();
  const auto scan = sensitivity(model, groups_to_scan(model, {"conv2*"}), {0.5}, worth_of_conv1);
  ASSERT_EQ(scan.rows.size(), 1U);
  EXPECT_EQ(scan.rows[0].group, "conv2");
}

TEST(SensitivityScan, RefusesWhatItCannotScan) {
  const graph::Model model = make_cnn();
  const auto message = [&](const std::vector<std::string>& nodes, std::vector<double> shares) {
    try {
      sensitivity(model, groups_to_scan(model, nodes), shares, worth_of_conv1);
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message({"conv9"}, {0.5}), HasSubstr("nodes: the model has no node 'conv9'"));
  EXPECT_THAT(message({"logits"}, {0.5}), HasSubstr("no group of channels can be cut"));
  EXPECT_THAT(message({}, {1.5}), HasSubstr("share 1.5 must lie between 0 and 1"));
  EXPECT_THAT(message({}, {}), HasSubstr("no share is given"));
}

}  // namespace

}  // namespace coppice::compress
