// Networks of the zoo as C source beside the reference backend, in float and in 8 bits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "c_source/compiled.h"
#include "compress/quantise.h"
#include "runtime/models.h"

namespace coppice::c_source::testing {
namespace {

using graph::DType;
using graph::Model;
using graph::Tensor;
using runtime::testing::image_input;
using runtime::testing::random_floats;
using runtime::testing::random_integers;
using runtime::testing::random_network;

struct ZooCase {
  const char* name;
  graph::ModelOptions options;
  graph::Shape sample;
  DType dtype = DType::U8;
};

void PrintTo(const ZooCase& one, std::ostream* out) {
  *out << one.name;
}

std::vector<ZooCase> zoo_cases() {
  return {
      {"mlp", {.name = "mlp", .widths = {20, 12}}, {30}, DType::F32},
      {"mlp_of_images", {.name = "mlp", .widths = {20, 12}}, {1, 9, 9}},
      {"lenet5", {.name = "lenet5"}, {1, 28, 28}},
      {"cnn", {.name = "cnn", .widths = {4, 6, 5}}, {3, 17, 17}},
      {"resnet20", {.name = "resnet", .widths = {4, 6, 8}, .depth = 3}, {3, 16, 16}},
      {"resnet18", {.name = "resnet18", .width_multiplier = 0.125}, {3, 16, 16}},
      {"mobilenet_v2", {.name = "mobilenet_v2", .width_multiplier = 0.25}, {3, 32, 32}},
      {"ds_cnn", {.name = "ds_cnn"}, {1, 25, 10}},
      {"cnn1d", {.name = "cnn1d", .widths = {5, 7}}, {3, 40}, DType::F32},
      {"tcn", {.name = "tcn", .widths = {6, 6, 4}}, {3, 32}, DType::F32},
      {"autoencoder", {.name = "autoencoder", .widths = {16, 5}}, {1, 7, 7}},
      {"conv_autoencoder", {.name = "conv_autoencoder", .widths = {4, 6}}, {1, 12, 12}},
  };
}

class ZooNetworks : public ::testing::TestWithParam<ZooCase> {
 protected:
  Model network() const {
    graph::ModelInput input = image_input(GetParam().sample[0], 1, GetParam().dtype);
    input.sample_shape = GetParam().sample;
    return random_network(GetParam().options, input, 3);
  }

  Tensor samples(int64_t count, uint64_t seed) const {
    graph::Shape shape = GetParam().sample;
    shape.insert(shape.begin(), count);
    return GetParam().dtype == DType::U8 ? random_integers(DType::U8, shape, seed)
                                         : random_floats(shape, seed, 0, 255);
  }
};

TEST_P(ZooNetworks, InFloat) {
  expect_reference_outputs(network(), {samples(3, 1)});
}

TEST_P(ZooNetworks, InEightBits) {
  const Model model = compress::quantise(network(), samples(16, 2), {});
  expect_reference_outputs(model, {samples(3, 1)});
}

TEST_P(ZooNetworks, InEightBitsWithZeroPoints) {
  const Model model = runtime::testing::to_qdq(
      network(),
      samples(8, 2),
      {.quantise_sums = true, .quantise_logits = true, .asymmetric = true});
  expect_reference_outputs(model, {samples(3, 1)});
}

INSTANTIATE_TEST_SUITE_P(CSource,
                         ZooNetworks,
                         ::testing::ValuesIn(zoo_cases()),
                         [](const auto& one) { return std::string(one.param.name); });

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
