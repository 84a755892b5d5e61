// Networks of the zoo as C source beside the reference backend, in float and in 8 bits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "c_source/compiled.h"
#include "compress/quantise.h"
#include "runtime/models.h"
#include "runtime/zoo_cases.h"

namespace coppice::c_source::testing {
namespace {

using graph::DType;
using graph::Model;
using graph::Tensor;
using runtime::testing::image_input;
using runtime::testing::random_integers;
using runtime::testing::random_network;
using runtime::testing::ZooCase;

class ZooNetworks : public ::testing::TestWithParam<ZooCase> {};

TEST_P(ZooNetworks, InFloat) {
  expect_reference_outputs(GetParam().network(), {GetParam().samples(3, 1)});
}

TEST_P(ZooNetworks, InEightBits) {
  const Model model = compress::quantise(GetParam().network(), GetParam().samples(16, 2), {});
  expect_reference_outputs(model, {GetParam().samples(3, 1)});
}

TEST_P(ZooNetworks, InEightBitsWithZeroPoints) {
  const Model model = runtime::testing::to_qdq(
      GetParam().network(),
      GetParam().samples(8, 2),
      {.quantise_sums = true, .quantise_logits = true, .asymmetric = true});
  expect_reference_outputs(model, {GetParam().samples(3, 1)});
}

INSTANTIATE_TEST_SUITE_P(CSource,
                         ZooNetworks,
                         ::testing::ValuesIn(runtime::testing::zoo_cases()),
                         [](const auto& one) { return one.param.name; });

TEST(CSourceNetworks, AResultDoesNotDependOnTheRunBefore) {
  graph::ModelOptions options{.name = "resnet", .widths = {4, 6, 8}, .depth = 1};
  const Compiled compiled(random_network(options, image_input(3, 12), 5));
  const Tensor first = random_integers(DType::U8, {1, 3, 12, 12}, 1);
  const Tensor other = random_integers(DType::U8, {1, 3, 12, 12}, 2);
  const Tensor before = compiled.run({first})[0];
  const Tensor between = compiled.run({other})[0];
  const Tensor after = compiled.run({first})[0];
  EXPECT_EQ(runtime::testing::relative_difference(after, before), 0);
  EXPECT_GT(runtime::testing::relative_difference(between, before), 0);
}

}  // namespace
}  // namespace coppice::c_source::testing
