#include "compress/weight_sharing.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/sharing_reference.h"
#include "compress/sparsify.h"
#include "core/error.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "graph/transfer.h"

namespace coppice::compress {

namespace {

using graph::testing::message_of;
using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

std::set<float> values_of(const graph::Model& model, const std::string& weight) {
  const auto values = model.weight(weight).data<float>();
  return {values.begin(), values.end()};
}

graph::Model lenet() {
  return graph::build_model({.name = "lenet5"}, graph::testing::fashion_input(), 1);
}

TEST(Cluster, FindsTheCentresThatScikitLearnFinds) {
  using namespace reference;
  EXPECT_THAT(cluster(kWeights, 2, 1000), Pointwise(DoubleNear(1e-9), kTwoCentres));
  EXPECT_THAT(cluster(kWeights, 5, 1000), Pointwise(DoubleNear(1e-9), kFiveCentres));
  EXPECT_THAT(cluster(kWeights, 3, 1000), Pointwise(DoubleNear(1e-9), kThreeCentres));
}

TEST(Cluster, CentresWithoutMembersVanish) {
  const std::vector<float> values{0, 0, 1, 1, 10};
  EXPECT_THAT(cluster(values, 5, 100), ::testing::ElementsAre(0.5, 10));
  EXPECT_THAT(cluster(std::vector<float>{2, 2}, 4, 100), ::testing::ElementsAre(2));
}

TEST(ShareWeights, EveryLayerKeepsItsBitsOfValues) {
  ShareReport report;
  const graph::Model model = lenet();
  const graph::Model shared =
      share_weights(model, {.conv_bits = 6, .linear_bits = 4, .layers = {{"logits", 2}}}, &report);
  ASSERT_EQ(report.rows.size(), 4u);
  EXPECT_LE(values_of(shared, "conv2.weight").size(), 64);
  EXPECT_LE(values_of(shared, "gemm1.weight").size(), 16);
  EXPECT_GT(values_of(shared, "gemm1.weight").size(), 12);
  EXPECT_LE(values_of(shared, "logits.weight").size(), 4);
  EXPECT_EQ(values_of(shared, "gemm1.bias"), values_of(model, "gemm1.bias"));
  for (const auto& row : report.rows) {
    EXPECT_EQ(row.shared, std::ssize(values_of(shared, row.weight))) << row.node;
    EXPECT_GT(row.rms_error, 0) << row.node;
  }
  EXPECT_LT(report.rows[1].rms_error, report.rows[3].rms_error) << "more bits, less error";
}

TEST(ShareWeights, ZerosStayZeroAndTakeNoPart) {
  const graph::Model sparse = sparsify(lenet(), {.share = 0.9, .scope = "layer"});
  const graph::Model shared = share_weights(sparse, {.linear_bits = 4});
  const auto before = sparse.weight("gemm1.weight").data<float>();
  const auto after = shared.weight("gemm1.weight").data<float>();
  for (size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(before[i] == 0, after[i] == 0) << i;
  }
  EXPECT_LE(values_of(shared, "gemm1.weight").size(), 17);
  const auto bytes = [](const graph::Model& m) {
    return graph::to_transfer(graph::to_onnx(m)).size();
  };
  EXPECT_LT(bytes(shared), bytes(sparse) / 3);
}

TEST(ShareWeights, CountsACentreOfZeroAsZeros) {
  Network net(graph::DType::F32, {5});
  graph::Model model = net.build({net.gemm("logits", "input", 1)});
  model.weights["logits.weight"] =
      graph::Tensor::from<float>({1, 5}, std::vector<float>{-1, -0.5, 0.5, 1, 3});
  ShareReport report;
  const graph::Model shared = share_weights(model, {.linear_bits = 1}, &report);
  EXPECT_EQ(values_of(shared, "logits.weight"), (std::set<float>{0, 3}));
  EXPECT_EQ(report.rows.at(0).zeros, 4);
  EXPECT_EQ(report.rows.at(0).shared, 1);
}

TEST(ShareWeights, RefusesWhatItCannotDo) {
  using enum core::ErrorKind;
  const graph::Model shared = share_weights(lenet(), {});
  EXPECT_THAT(message_of(InvalidArgument, [&] { share_weights(shared, {}); }),
              HasSubstr("as few values already"));
  EXPECT_THAT(message_of(InvalidArgument,
                         [&] {
                           share_weights(lenet(), {.layers = {{"fc9", 3}}});
                         }),
              HasSubstr("'fc9' fits no layer"));
}

}  // namespace

}  // namespace coppice::compress
