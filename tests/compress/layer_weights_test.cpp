#include "compress/layer_weights.h"

#include <gmock/gmock.h>

#include "compress/name_pattern.h"
#include "compress/network.h"
#include "compress/quantise.h"
#include "core/error.h"
#include "graph/models.h"

namespace coppice::compress {

namespace {

using graph::testing::message_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LayerNames, StarAndQuestionMarkStandForText) {
  EXPECT_TRUE(matches("fc1", "fc1"));
  EXPECT_FALSE(matches("fc1", "fc12"));
  EXPECT_TRUE(matches("fc*", "fc12"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*.conv?.*", "block.conv1.a"));
  EXPECT_FALSE(matches("*.conv?.*", "block.conv.a"));
  EXPECT_TRUE(matches("a*b*c", "axxbxbyc"));
  EXPECT_TRUE(matches("conv?", "conv1"));
  EXPECT_TRUE(matches("*1*2*", "a1b12c"));
  EXPECT_FALSE(matches("a*b*c", "axxbxby"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("conv?", "conv"));
  EXPECT_FALSE(matches("*.conv", "a.conv1"));
}

TEST(LayerNames, APatternThatFitsNothingIsAnError) {
  const graph::Model model = make_mlp();
  const auto layers = layer_weights(model, "share");
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_THAT(match_layers(layers, {"fc*", "fc2"}, "share"), ElementsAre(0, 1, -1));
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] {
                           match_layers(layers, {"fc*", "gc2"}, "share.layers");
                         }),
              AllOf(HasSubstr("share.layers: 'gc2'"), HasSubstr("did you mean 'fc2'")));
}

}  // namespace

}  // namespace coppice::compress
