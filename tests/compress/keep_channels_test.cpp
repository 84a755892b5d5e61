#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <gmock/gmock.h>

#include "compress/channels.h"
#include "compress/network.h"
#include "core/error.h"
#include "core/files.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "runtime/engine.h"

namespace coppice::compress {

namespace {

using ::testing::HasSubstr;

using Keep = std::vector<std::vector<int64_t>>;

Keep keep_all(const std::vector<ChannelGroup>& groups) {
  Keep keep;
  for (const ChannelGroup& group : groups) {
    keep.emplace_back();
    for (int64_t c = 0; c < group.channels; ++c) {
      keep.back().push_back(c);
    }
  }
  return keep;
}

/// About half of every prunable group.
Keep keep_some(const std::vector<ChannelGroup>& groups, core::Rng rng) {
  Keep keep = keep_all(groups);
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].prunable) {
      std::erase_if(keep[g], [&](int64_t c) { return c > 0 && rng.bernoulli(0.5); });
    }
  }
  return keep;
}

/// Whether cutting the slice takes away what makes the channel, not what reads it.
bool makes_channel(const graph::Model& model, const ChannelSlice& slice) {
  const graph::Node& node = model.graph.at(slice.node);
  if (node.op == graph::Op::BatchNorm) {
    return slice.weight == node.inputs[1] || slice.weight == node.inputs[2];
  }
  return slice.producer || slice.dimension == 0;
}

/// Zeros what makes the channels that are not kept, so that they are 0 wherever they go.
graph::Model silence(graph::Model model,
                     const std::vector<ChannelGroup>& groups,
                     const Keep& keep) {
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const ChannelSlice& slice : groups[g].slices) {
      if (!makes_channel(model, slice)) {
        continue;
      }
      graph::Tensor weight = model.weight(slice.weight).clone();
      int64_t inner = 1;
      for (size_t d = slice.dimension + 1; d < weight.shape().size(); ++d) {
        inner *= weight.dim(d);
      }
      for (int64_t i = 0; i < weight.size(); ++i) {
        const int64_t place = i / inner % weight.dim(slice.dimension) - slice.offset;
        const bool inside = place >= 0 && place < groups[g].channels * slice.block;
        if (inside && std::ranges::find(keep[g], place / slice.block) == keep[g].end()) {
          weight.data<float>()[static_cast<size_t>(i)] = 0;
        }
      }
      model.weights[slice.weight] = weight;
    }
  }
  return model;
}

graph::Tensor random_samples(const graph::Model& model, int64_t count) {
  core::Rng rng(7);
  graph::Shape shape = model.graph.inputs().at(0)->shape;
  shape[0] = count;
  graph::Tensor samples(graph::DType::F32, shape);
  for (float& value : samples.data<float>()) {
    value = static_cast<float>(rng.normal());
  }
  return samples;
}

double largest_difference(const graph::Model& a, const graph::Model& b) {
  const graph::Tensor samples = random_samples(a, 6);
  const auto run = [&](const graph::Model& model) {
    const auto engine = runtime::build_engine(model, {.backend = "reference", .max_batch = 6});
    return runtime::run_all(*engine, samples, 6);
  };
  const graph::Tensor x = run(a);
  const graph::Tensor y = run(b);
  double largest = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    largest = std::max(largest,
                       std::abs(static_cast<double>(x.data<float>()[at]) -
                                static_cast<double>(y.data<float>()[at])));
  }
  return largest;
}

struct Topology {
  std::string name;
  graph::Model (*make)();
};

class KeepChannels : public testing::TestWithParam<Topology> {};

TEST_P(KeepChannels, WithoutSilentChannelsTheFunctionIsTheSame) {
  const graph::Model model = GetParam().make();
  const auto groups = find_groups(model);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const Keep keep = keep_some(groups, core::Rng(seed));
    const graph::Model silent = silence(model, groups, keep);
    EXPECT_LT(largest_difference(silent, keep_channels(silent, groups, keep)), 1e-5);
    EXPECT_GT(largest_difference(model, keep_channels(model, groups, keep)), 1e-3)
        << "the test is blind: the channels did not matter";
  }
}

TEST_P(KeepChannels, KeepingAllChangesNothing) {
  const graph::Model model = GetParam().make();
  const auto groups = find_groups(model);
  EXPECT_EQ(graph::content_hash(keep_channels(model, groups, keep_all(groups))),
            graph::content_hash(model));
}

TEST_P(KeepChannels, WorksOnWhatOnnxFilesHold) {
  const core::TemporaryFolder folder;
  const graph::Model model = GetParam().make();
  graph::save_onnx(model, folder.path() / "model.onnx");
  const graph::Model loaded = graph::load_onnx(folder.path() / "model.onnx");
  const auto groups = find_groups(loaded);
  const Keep keep = keep_some(groups, core::Rng(7));
  const graph::Model silent = silence(loaded, groups, keep);
  EXPECT_LT(largest_difference(silent, keep_channels(silent, groups, keep)), 1e-5);
  const auto prunable = [](const std::vector<ChannelGroup>& all) {
    return std::count_if(all.begin(), all.end(), [](const auto& group) { return group.prunable; });
  };
  EXPECT_EQ(prunable(groups), prunable(find_groups(model)));
}

graph::Model make_split() {  // one producer in two groups
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string joined =
      net.concat("concat", {net.conv("a", "input", 4), net.conv("b", "input", 6)});
  const std::string x = net.relu("relu", net.add("add", net.conv("c", "input", 10), joined));
  return net.build({net.gemm("logits", net.flatten("flatten", net.max_pool("pool", x)), 4)});
}

graph::Model make_gated() {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string x = net.conv("conv1", "input", 6);
  const std::string gate = net.conv(
      "excite", net.relu("relu", net.conv("squeeze", net.global_pool("gap", x), 4, 1)), 6, 1);
  net.append("scaled", graph::Op::Mul, {x, gate});
  return net.build({net.gemm("logits", net.flatten("flatten", "scaled"), 4)});
}

TEST(KeepChannelsOf, ChannelsThatAreCountedStay) {
  for (const ChannelGroup& group : find_groups(make_curves())) {
    EXPECT_EQ(group.prunable, group.name != "conv4" && group.name != "logits") << group.name;
  }
}

TEST(KeepChannelsOf, LayersBeforeASequenceArePrunedThoseInItStay) {
  std::map<std::string, bool> prunable;
  for (const ChannelGroup& group : find_groups(make_sequence())) {
    prunable[group.name] = group.prunable;
  }
  const std::map<std::string, bool> expected{
      {"conv1", true}, {"up", true}, {"conv2", true}, {"conv3", false}, {"logits", false}};
  EXPECT_EQ(prunable, expected);
}

INSTANTIATE_TEST_SUITE_P(Topologies,
                         KeepChannels,
                         testing::Values(Topology{"mlp", make_mlp},
                                         Topology{"cnn", make_cnn},
                                         Topology{"resnet", make_resnet},
                                         Topology{"concat", make_concat},
                                         Topology{"depthwise", make_depthwise},
                                         Topology{"split", make_split},
                                         Topology{"gated", make_gated},
                                         Topology{"curves", make_curves},
                                         Topology{"sequence", make_sequence},
                                         Topology{"grouped", make_grouped},
                                         Topology{"squeeze_excitation", make_squeeze_excitation},
                                         Topology{"decoder", make_decoder},
                                         Topology{"inception", make_inception}),
                         [](const auto& topology) { return topology.param.name; });

TEST(KeepChannelsOf, CutsTheNamedRows) {
  const graph::Model model = make_cnn();
  const auto groups = find_groups(model);
  Keep keep = keep_all(groups);
  keep[0] = {1, 6};
  keep[1] = {0, 5, 11};
  const graph::Model cut = keep_channels(model, groups, keep);
  EXPECT_EQ(cut.weight("conv1.weight").shape(), (graph::Shape{2, 3, 3, 3}));
  EXPECT_EQ(cut.weight("conv2.weight").shape(), (graph::Shape{3, 2, 3, 3}));
  EXPECT_EQ(cut.weight("fc.weight").shape(), (graph::Shape{16, 12}));
  EXPECT_EQ(cut.weight("bn1.mean").data<float>()[1], model.weight("bn1.mean").data<float>()[6]);
  const auto at =
      [](const graph::Model& m, size_t out, size_t in, size_t position, size_t channels) {
        return m.weight("conv2.weight").data<float>()[(out * channels + in) * 9 + position];
      };
  EXPECT_EQ(at(cut, 1, 1, 4, 2), at(model, 5, 6, 4, 8));
  EXPECT_EQ(cut.weight("fc.weight").data<float>()[12 * 3 + 4 * 2 + 1],
            model.weight("fc.weight").data<float>()[48 * 3 + 4 * 11 + 1]);
  EXPECT_EQ(cut.graph.at("conv2").shape[1], 3) << "shapes are inferred again";
}

TEST(KeepChannelsOf, DepthwiseConvolutionLosesItsGroups) {
  const graph::Model model = make_depthwise();
  const auto groups = find_groups(model);
  Keep keep = keep_all(groups);
  keep[0] = {0, 3, 7};
  const graph::Model cut = keep_channels(model, groups, keep);
  EXPECT_EQ(cut.graph.at("depthwise").as<graph::ConvAttributes>().groups, 3);
  EXPECT_EQ(cut.weight("depthwise.weight").shape(), (graph::Shape{6, 1, 3, 3}));
}

TEST(KeepChannelsOf, ConvolutionGroupsStayEquallyWide) {
  const graph::Model model = make_grouped();
  const auto groups = find_groups(model);
  Keep keep = keep_all(groups);
  keep[1] = {0, 5};  // of the 6 that each of by_four's groups makes
  const graph::Model cut = keep_channels(model, groups, keep);
  EXPECT_EQ(cut.graph.at("by_four").as<graph::ConvAttributes>().groups, 4);
  EXPECT_EQ(cut.weight("by_four.weight").shape(), (graph::Shape{8, 4, 3, 3}));
  EXPECT_EQ(cut.weight("by_two.weight").shape(), (graph::Shape{16, 4, 3, 3}));
  const auto before = model.weight("by_four.bias").data<float>();
  const auto after = cut.weight("by_four.bias").data<float>();
  for (size_t g = 0; g < 4; ++g) {
    EXPECT_EQ(after[2 * g], before[6 * g]);
    EXPECT_EQ(after[2 * g + 1], before[6 * g + 5]);
  }
}

TEST(KeepChannelsOf, ReshapesGiveFewerChannels) {
  const graph::Model model = make_decoder();
  const auto groups = find_groups(model);
  Keep keep = keep_all(groups);
  keep[0] = {1};  // of 4 in each of the two groups that read them
  const graph::Model cut = keep_channels(model, groups, keep);
  EXPECT_EQ(cut.graph.at("image").shape, (graph::Shape{graph::kBatch, 2, 4, 4}));
  EXPECT_EQ(cut.weight("fc.weight").shape(), (graph::Shape{32, 6}));
  EXPECT_EQ(cut.weight("s").shape(), (graph::Shape{32}));
}

void expect_refused(const std::function<void(Keep&)>& spoil, const std::string& reason) {
  const graph::Model model = make_cnn();
  const auto groups = find_groups(model);
  Keep keep = keep_all(groups);
  spoil(keep);
  try {
    keep_channels(model, groups, keep);
    FAIL() << "expected: " << reason;
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr(reason));
  }
}

TEST(KeepChannelsOf, RefusesListsThatDoNotFit) {
  expect_refused([](Keep& keep) { keep.pop_back(); }, "4 channel groups but 3 lists");
  expect_refused([](Keep& keep) { keep[0].clear(); }, "'conv1': keep at least one channel");
  expect_refused([](Keep& keep) { keep[0] = {2, 1}; }, "'conv1': channels to keep must ascend");
  expect_refused([](Keep& keep) { keep[0] = {1, 1}; }, "'conv1': channels to keep must ascend");
  expect_refused([](Keep& keep) { keep[0] = {0, 8}; }, "must lie in [0, 8)");
  expect_refused([](Keep& keep) { keep[0] = {-1, 2}; }, "must lie in [0, 8)");
  expect_refused(
      [](Keep& keep) {
        keep[3] = {0, 1};
      },
      "'logits': it reaches a model input or output");
}

TEST(KeepChannelsOf, RefusesGroupsOfAnotherModel) {
  const auto groups = find_groups(make_cnn());
  Keep keep = keep_all(groups);
  keep[0] = {0};
  EXPECT_THROW(keep_channels(make_mlp(), groups, keep), core::Error);
}

}  // namespace

}  // namespace coppice::compress
