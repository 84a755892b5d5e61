#include "compress/equalise.h"

#include <cmath>

#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/quantise.h"
#include "compress/samples.h"
#include "core/error.h"
#include "graph/pass.h"
#include "graph/zoo.h"

namespace coppice::compress {

namespace {

using graph::Op;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Multiplies the channels of a layer by 2^-spread … 2^spread and divides them where they are read,
/// so that the function stays and one scale no longer serves them all.
void unbalance(graph::Model& model,
               const std::string& first,
               const std::string& second,
               int spread) {
  const auto cloned = [&](const std::string& name) {
    model.weights.at(name) = model.weights.at(name).clone();
    return model.weights.at(name).data<float>();
  };
  const graph::Node& a = model.graph.at(first);
  const graph::Node& b = model.graph.at(second);
  const auto channels = static_cast<size_t>(model.weight(a.inputs[1]).dim(0));
  const auto factor = [&](size_t c) {
    return static_cast<float>(std::exp2(static_cast<int>(c % 3) * spread - spread));
  };
  for (const size_t input : {size_t{1}, size_t{2}}) {
    const auto values = cloned(a.inputs[input]);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= factor(i / (values.size() / channels));
    }
  }
  const auto values = cloned(b.inputs[1]);
  const bool depthwise = b.op == Op::Conv && b.as<graph::ConvAttributes>().groups > 1;
  const size_t rows = static_cast<size_t>(model.weight(b.inputs[1]).dim(0));
  const size_t row = values.size() / rows;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c = depthwise ? i / row / (rows / channels) : i % row / (row / channels);
    values[i] /= factor(c);
  }
}

graph::Model folded(const graph::Model& model) {
  return graph::run_passes(model, graph::inference_passes());
}

graph::Model equalised(const graph::Model& model) {
  std::map<std::string, NormStatistics> statistics;
  graph::Model start = folded(model);
  return equalise(start, find_pairs(start), statistics);
}

double largest_of(const graph::Tensor& tensor) {
  double largest = 0;
  for (const float value : tensor.data<float>()) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  return largest;
}

std::vector<std::string> words(const std::vector<LayerPair>& pairs) {
  std::vector<std::string> result;
  for (const LayerPair& pair : pairs) {
    result.push_back(pair.first + " > " + pair.second);
  }
  return result;
}

TEST(Equalise, FindsLayersThatNobodyElseReads) {
  EXPECT_THAT(words(find_pairs(folded(make_cnn()))),
              ElementsAre("conv1 > conv2", "conv2 > fc", "fc > logits"));
  EXPECT_THAT(words(find_pairs(folded(make_resnet()))), ElementsAre("conv1 > conv2"));
  EXPECT_THAT(words(find_pairs(folded(make_depthwise()))),
              ElementsAre("conv1 > depthwise", "depthwise > pointwise", "pointwise > logits"));
  EXPECT_THAT(words(find_pairs(folded(make_concat()))), ElementsAre("c > logits"));
}

TEST(Equalise, KeepsTheFunctionOfEveryTopology) {
  for (graph::Model (*make)() :
       {make_mlp, make_cnn, make_resnet, make_concat, make_depthwise, make_curves, make_sequence}) {
    const graph::Model model = make();
    const graph::Tensor samples = noise_for(model, 20, 3);
    const graph::Tensor expected = outputs_on(model, samples, "reference");
    const graph::Tensor result = outputs_on(equalised(model), samples, "reference");
    const double size = std::max(1.0, largest_of(expected));
    for (size_t i = 0; i < static_cast<size_t>(expected.size()); ++i) {
      ASSERT_NEAR(result.data<float>()[i], expected.data<float>()[i], 1e-5 * size);
    }
  }
}

TEST(Equalise, MakesRangesOfAPairEqual) {
  graph::Model model = folded(make_depthwise());
  unbalance(model, "conv1", "depthwise", 3);
  const graph::Model even = equalised(model);
  const auto ranges_of_rows = [&](const std::string& weight, size_t rows) {
    std::vector<double> ranges(rows);
    const auto values = even.weight(weight).data<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      double& range = ranges[i * rows / values.size()];
      range = std::max(range, std::abs(static_cast<double>(values[i])));
    }
    return ranges;
  };
  const auto first = ranges_of_rows("conv1.weight", 8);
  const auto second = ranges_of_rows("depthwise.weight", 8);  // two rows read each channel
  for (size_t c = 0; c < 8; ++c) {
    EXPECT_NEAR(first[c] / second[c], 1, 3e-3) << c;
  }
}

TEST(Equalise, PassesPReluAndSlopesOfEachChannel) {
  Network net(graph::DType::F32, {3, 6, 6});
  net.append("slope", Op::PRelu, {net.conv("a", "input", 6), net.weight("s", {6, 1, 1}, 0.3)});
  const auto model = net.build({net.conv("b", "slope", 4)});
  EXPECT_THAT(words(find_pairs(model)), ElementsAre("a > b"));
  graph::Model uneven = model;
  unbalance(uneven, "a", "b", 4);
  const graph::Tensor samples = noise_for(model, 8, 1);
  const graph::Tensor x = outputs_on(model, samples, "reference");
  const graph::Tensor y = outputs_on(equalised(uneven), samples, "reference");
  for (size_t i = 0; i < static_cast<size_t>(x.size()); ++i) {
    ASSERT_NEAR(x.data<float>()[i], y.data<float>()[i], 2e-5);
  }
}

TEST(Equalise, LeavesReLU6AloneUnlessToldOtherwise) {
  Network net(graph::DType::F32, {3, 6, 6});
  net.append("relu6", Op::Clip, {net.conv("a", "input", 6)}, graph::ClipAttributes{});
  const auto model = net.build({net.conv("b", "relu6", 4)});
  EXPECT_THAT(find_pairs(model), IsEmpty());
  const graph::Tensor samples = noise_for(model, 8, 1);
  EXPECT_THROW(quantise(model, samples, {.equalise = true}), core::Error);
  QuantiseReport report;
  quantise(model, samples, {.equalise = true, .replace_relu6 = true}, &report);
  EXPECT_EQ(report.equalised_pairs, 1);
}

TEST(Equalise, MakesOnlyTheReLU6BetweenLayersAReLU) {
  Network net(graph::DType::F32, {3, 6, 6});
  net.append("relu6", Op::Clip, {net.conv("a", "input", 6)}, graph::ClipAttributes{});
  const std::string x = net.conv("b", "relu6", 4);
  net.append("gate", Op::Clip, {x}, graph::ClipAttributes{0, 6});  // as in a hard swish
  net.append("gated", Op::Mul, {x, "gate"});
  const auto model = net.build({net.conv("c", "gated", 4)});
  const graph::Model quantised =
      quantise(model, noise_for(model, 8, 1), {.equalise = true, .replace_relu6 = true});
  EXPECT_EQ(quantised.graph.at("relu6").op, Op::Relu);
  EXPECT_EQ(quantised.graph.at("gate").op, Op::Clip);
}

TEST(Equalise, LeavesDeadChannelsAlone) {
  graph::Model model = make_mlp();
  graph::Tensor weight = model.weight("fc1.weight").clone();
  std::fill_n(weight.data<float>().begin(), 5, 0.0F);  // unit 0 is its bias
  model.weights["fc1.weight"] = weight;
  const graph::Tensor samples = noise_for(model, 8, 1);
  const graph::Tensor x = outputs_on(model, samples, "reference");
  const graph::Tensor y = outputs_on(equalised(model), samples, "reference");
  for (size_t i = 0; i < static_cast<size_t>(x.size()); ++i) {
    ASSERT_NEAR(x.data<float>()[i], y.data<float>()[i], 1e-5);
  }
}

TEST(AbsorbBiases, MovesWhatIsAlwaysPositive) {
  Network net(graph::DType::F32, {4});
  std::string x = net.relu("relu", net.batch_norm("bn", net.gemm("a", "input", 6)));
  graph::Model model = net.build({net.gemm("b", x, 3)});
  graph::Tensor shift = model.weight("bn.bias").clone();
  shift.data<float>()[2] = 8;  // far above 3 deviations
  model.weights["bn.bias"] = shift;
  const graph::Model start = folded(model);
  const auto statistics = norm_statistics(model, start);
  ASSERT_TRUE(statistics.contains("a"));
  EXPECT_EQ(statistics.at("a").mean[2], 8);
  const auto pairs = find_pairs(start);
  const graph::Model moved = absorb_biases(start, pairs, statistics);
  const double c = 8 - 3 * statistics.at("a").deviation[2];
  EXPECT_NEAR(
      start.weight("a.bias").data<float>()[2] - moved.weight("a.bias").data<float>()[2], c, 1e-5);
  EXPECT_EQ(start.weight("a.bias").data<float>()[0], moved.weight("a.bias").data<float>()[0]);
  const graph::Tensor samples = noise_for(model, 40, 1, 0.3);
  const graph::Tensor before = outputs_on(start, samples, "reference");
  const graph::Tensor after = outputs_on(moved, samples, "reference");
  for (size_t i = 0; i < static_cast<size_t>(before.size()); ++i) {
    ASSERT_NEAR(before.data<float>()[i], after.data<float>()[i], 1e-4);
  }
}

TEST(AbsorbBiases, LeavesLayersThatPad) {
  const graph::Model model = make_depthwise();
  const graph::Model start = folded(model);
  std::map<std::string, NormStatistics> statistics;
  statistics["conv1"] = {std::vector<double>(8, 9), std::vector<double>(8, 1)};
  const graph::Model moved = absorb_biases(start, find_pairs(start), statistics);
  EXPECT_EQ(graph::content_hash(moved), graph::content_hash(start)) << "the depthwise layer pads";
}

TEST(Equalise, HelpsOneScaleForAllChannels) {
  graph::Model depthwise = folded(make_depthwise());
  unbalance(depthwise, "conv1", "depthwise", 3);
  unbalance(depthwise, "depthwise", "pointwise", 3);
  const graph::Tensor samples = noise_for(depthwise, 64, 5);
  const auto sqnr = [&](bool equalise, bool per_channel) {
    return measured_sqnr_db(
        outputs_on(depthwise, samples),
        outputs_on(quantise(depthwise, samples, {.equalise = equalise, .per_channel = per_channel}),
                   samples));
  };
  EXPECT_GT(sqnr(true, false), sqnr(false, false) + 6) << "one scale of weights for each layer";
  EXPECT_GT(sqnr(true, true), sqnr(false, true) + 3) << "activations have one scale in any case";
}

TEST(Equalise, HelpsTheDepthwiseNetworkOfTheZoo) {
  graph::ModelOptions options;
  options.name = "ds_cnn";
  graph::ModelInput input;
  input.sample_shape = {1, 16, 10};
  input.mean = {128};
  input.std = {64};
  input.class_names = {"a", "b", "c", "d"};
  graph::Model model = folded(graph::build_model(options, input, 3));
  const auto pairs = find_pairs(model);
  ASSERT_GE(pairs.size(), 8U);
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    unbalance(model, pairs[i].first, pairs[i].second, 2);
  }
  const graph::Tensor samples = noise_for(model, 16, 7);
  const auto sqnr = [&](bool equalise) {
    const QuantiseOptions quantising{
        .bias_correction = false, .equalise = equalise, .per_channel = false};
    return measured_sqnr_db(outputs_on(model, samples),
                            outputs_on(quantise(model, samples, quantising), samples));
  };
  EXPECT_GT(sqnr(true), sqnr(false) + 3);
}

}  // namespace

}  // namespace coppice::compress
