#include "graph/standardise.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/models.h"
#include "graph/onnx.h"

namespace coppice::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::model_of;
using testing::node_of;

Model bare_network() {
  return model_of({{"x", {2, 4}}},
                  {},
                  {node_of("cast", Op::Relu, {"x"}), node_of("y", Op::Add, {"cast", "x"})});
}

TEST(Standardise, StandsBetweenTheInputAndAllThatReadsIt) {
  const Model model = standardise_input(bare_network(), {{1, 2}, {3, 4}}, DType::U8);
  EXPECT_EQ(model.graph.inputs().at(0)->dtype, DType::U8);
  EXPECT_EQ(model.graph.outputs, std::vector<std::string>{"y"});
  EXPECT_THAT(model.graph.at("y").inputs, ElementsAre("cast", "standardised"));
  EXPECT_THAT(model.graph.at("cast").inputs, ElementsAre("standardised"));
  EXPECT_THAT(model.graph.at("standardised").inputs, ElementsAre("centred", "standardised.value"));
  EXPECT_THAT(model.graph.at("centred").inputs, ElementsAre("raw", "centred.value"));
  EXPECT_THAT(model.graph.at("raw").inputs, ElementsAre("x"));
  EXPECT_THAT(model.weight("centred.value").data<float>(), ElementsAre(1, 2));
  EXPECT_EQ(model.weight("standardised.value").shape(), (Shape{2, 1}));
  EXPECT_EQ(content_hash(from_onnx(to_onnx(model))), content_hash(model));
}

TEST(Standardise, TwiceGetsNamesOfItsOwn) {
  const Model once = standardise_input(bare_network(), {{0.5}, {2}});
  const Model twice = standardise_input(once, {{1}, {1}});
  EXPECT_EQ(twice.graph.nodes.size(), once.graph.nodes.size() + 3);
  EXPECT_THAT(twice.graph.at("raw").inputs, ElementsAre("standardised2"));
}

TEST(Standardise, RefusesValuesThatDoNotFit) {
  const auto refusal = [](const Standardisation& values) {
    return message_of(core::ErrorKind::InvalidArgument,
                      [&] { standardise_input(bare_network(), values); });
  };
  EXPECT_THAT(refusal({{1, 2, 3}, {1}}), HasSubstr("3 values for 2 channels"));
  EXPECT_THAT(refusal({{1}, {0}}), HasSubstr("must be positive"));
  EXPECT_THAT(refusal({{NAN}, {1}}), HasSubstr("must be finite"));
  const Model two = model_of({{"a", {2}}, {"b", {2}}}, {}, {node_of("y", Op::Add, {"a", "b"})});
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] {
                           standardise_input(two, {{0}, {1}});
                         }),
              HasSubstr("2 inputs"));
}

}  // namespace
}  // namespace coppice::graph
