#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "graph/cost.h"
#include "graph/models.h"
#include "graph/zoo.h"

namespace coppice::graph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::fashion_input;
using ::testing::HasSubstr;
using testing::message_of;

ModelOptions read_layers(const std::string& text) {
  return core::read_options<ModelOptions>(core::parse_config_text(text, "net.yaml"));
}

Model build_from(const std::string& layers, const ModelInput& input = fashion_input()) {
  return build_model(read_layers("name: layers\nlayers:\n" + layers), input, 1);
}

std::string layers_refusal(const std::string& layers, const ModelInput& input = fashion_input()) {
  return message_of(core::ErrorKind::InvalidArgument, [&] { build_from(layers, input); });
}

std::string config_refusal(const std::string& layers) {
  return message_of(core::ErrorKind::Config,
                    [&] { read_layers("name: layers\nlayers:\n" + layers); });
}

TEST(Layers, MakeTheNetworkThatTheZooMakes) {
  const Model model = build_from(R"(
  - {type: conv, width: 20, kernel: [5], padding: valid}
  - {type: max_pool, kernel: [2]}
  - {type: conv, width: 50, kernel: [5], padding: valid}
  - {type: max_pool, kernel: [2]}
  - {type: flatten}
  - {type: linear, width: 500}
  - {type: relu}
)");
  const Model zoo = build_model({.name = "lenet5"}, fashion_input(), 1);
  EXPECT_EQ(content_hash(model), content_hash(zoo));
}

TEST(Layers, JoinByName) {
  const Model model = build_from(R"(
  - {type: conv, name: stem, width: 8, stride: [2], bias: false}
  - {type: bn, zero_init: true}
  - {type: relu6}
  - {type: depthwise, kernel: [3, 5]}
  - {type: add, name: sum, from: [stem]}
  - {type: conv, name: left, width: 4, kernel: [1], from: [sum]}
  - {type: conv, name: right, width: 6, kernel: [1], from: [sum]}
  - {type: concat, from: [left, right]}
  - {type: spatial_dropout, rate: 0.2}
  - {type: stochastic_depth, rate: 0.3}
)");
  EXPECT_THAT(model.graph.at("sum").inputs, ElementsAre("conv2", "stem"));
  EXPECT_THAT(model.graph.at("concat1").inputs, ElementsAre("left", "right"));
  EXPECT_EQ(model.graph.at("concat1").shape, (Shape{-1, 10, 14, 14}));
  EXPECT_EQ(model.graph.at("conv2").as<ConvAttributes>().groups, 8);
  EXPECT_EQ(model.graph.at("conv2").as<ConvAttributes>().pads, (Shape{1, 2, 1, 2}));
  EXPECT_EQ(model.graph.at("dropout1").as<DropoutAttributes>().grain, DropoutGrain::Channel);
  EXPECT_EQ(model.graph.at("dropout2").as<DropoutAttributes>().grain, DropoutGrain::Sample);
  EXPECT_EQ(model.weight("bn1.scale").data<float>()[0], 0);
}

TEST(Layers, NameTheLayerThatDoesNotFit) {
  EXPECT_THAT(layers_refusal("  - {type: relu}\n  - {type: linear, name: fc}\n"),
              AllOf(HasSubstr("layer 1 (linear fc)"), HasSubstr("must have 2 dimensions")));
  EXPECT_THAT(layers_refusal("  - {type: conv, name: stem}\n  - {type: add, from: [stme]}\n"),
              AllOf(HasSubstr("layer 1 (add)"), HasSubstr("did you mean 'stem'")));
  EXPECT_THAT(layers_refusal("  - {type: relu, name: a}\n  - {type: relu, name: a}\n"),
              HasSubstr("another layer has the name 'a'"));
  EXPECT_THAT(layers_refusal("  - {type: add}\n"), HasSubstr("at least one name in 'from'"));
  EXPECT_THAT(layers_refusal("  - {type: relu, from: [input, input]}\n"),
              HasSubstr("reads one layer"));
  EXPECT_THAT(layers_refusal("  - {type: conv, kernel: [1, 2, 3]}\n"),
              HasSubstr("one or two values"));
  EXPECT_THAT(layers_refusal("  - {type: conv, pads: [1, 1]}\n"), HasSubstr("[top, left"));
  EXPECT_THAT(layers_refusal("  - {type: flatten}\n  - {type: max_pool}\n"),
              HasSubstr("takes images or windows"));
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [] { build_model({.name = "layers"}, fashion_input(), 1); }),
              HasSubstr("the list is empty"));
}

TEST(Layers, TakeTheOptionsOfTheirTypeOnly) {
  EXPECT_THAT(config_refusal("  - {type: relu, kernel: [3]}\n"),
              HasSubstr("net.yaml:3:18: unknown key 'layers.0.kernel'"));
  EXPECT_THAT(config_refusal("  - {type: conv, widht: 3}\n"), HasSubstr("did you mean 'width'"));
  EXPECT_THAT(config_refusal("  - {type: cnv}\n"), HasSubstr("did you mean 'conv'"));
  EXPECT_THAT(config_refusal("  - {kernel: [3]}\n"), HasSubstr("layers.0"));
  EXPECT_THAT(config_refusal("  - {type: conv, padding: full}\n"),
              HasSubstr("same, valid, causal"));
  EXPECT_THAT(config_refusal("  - {type: dropout, rate: 1}\n"), HasSubstr("0 to 0.95"));
}

TEST(Layers, WindowsAreConvolvedAlongTime) {
  ModelInput input = fashion_input();
  input.sample_shape = {3, 50};
  const Model model = build_from(R"(
  - {type: conv, width: 8, kernel: [5], dilation: [2], padding: causal}
  - {type: leaky_relu, slope: 0.1}
  - {type: avg_pool, kernel: [2]}
  - {type: conv, width: 4, kernel: [3], stride: [2]}
  - {type: global_avg_pool}
)",
                                 input);
  EXPECT_EQ(model.graph.at("conv1").shape, (Shape{-1, 8, 1, 50}));
  EXPECT_EQ(model.graph.at("conv1").as<ConvAttributes>().pads, (Shape{0, 8, 0, 0}));
  EXPECT_EQ(model.graph.at("average_pool1").shape, (Shape{-1, 8, 1, 25}));
  EXPECT_EQ(model.graph.at("conv2").shape, (Shape{-1, 4, 1, 13}));
}

TEST(Layers, EveryTypeBuilds) {
  const std::map<std::string, std::string> details{
      {"linear", "{type: flatten}\n  - {type: linear}"},
      {"reshape", "{type: reshape, shape: [28, 28]}"},
      {"add", "{type: add, from: [input]}"},
      {"mul", "{type: mul, from: [input]}"},
      {"concat", "{type: concat, from: [input]}"}};
  for (const std::string_view type : layer_types()) {
    SCOPED_TRACE(type);
    const auto detail = details.find(std::string(type));
    const std::string layer =
        detail == details.end() ? "{type: " + std::string(type) + "}" : detail->second;
    const Model model = build_from("  - {type: relu}\n  - " + layer + "\n");
    EXPECT_EQ(model.graph.at("logits").shape, (Shape{-1, 10}));
  }
}

}  // namespace
}  // namespace coppice::graph
