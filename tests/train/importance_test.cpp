#include "train/importance.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include "compress/channels.h"
#include "compress/network.h"
#include "core/error.h"
#include "samples.h"
#include "train/batch_tensors.h"
#include "train/network.h"

namespace coppice::train {

namespace {

using compress::ChannelGroup;
using compress::CriterionNeeds;

/// Eight samples of what `quarters` makes, as numbers around 0.
data::DatasetPtr few_samples(int64_t count = 8) {
  const data::DatasetPtr images = testing::quarters(count, 5);
  const data::Batch batch = data::read_all(*images);
  data::Schema schema = images->schema();
  schema.type = data::ElementType::F32;
  std::vector<std::byte> bytes(batch.samples.size() * sizeof(float));
  for (size_t i = 0; i < batch.samples.size(); ++i) {
    const float value = (static_cast<float>(batch.samples[i]) - 75) / 50;
    std::copy_n(reinterpret_cast<const std::byte*>(&value),
                sizeof(float),
                bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(float)));
  }
  return data::make_memory_dataset(schema, bytes, batch.labels);
}

/// Two layers that a residual add ties, a depthwise layer behind them, pooling and a linear layer.
/// All but the logits are homogeneous: a layer's filters and bias x g are a gate g.
graph::Model tied_network() {
  compress::Network net(graph::DType::F32, {1, 8, 8});
  const std::string sum = net.add("add", net.conv("a", "input", 6), net.conv("b", "input", 6));
  const std::string x = net.conv("depthwise", net.relu("relu1", sum), 6, 3, 6, false);
  const std::string y = net.max_pool("pool", net.relu("relu2", x));
  return net.build({net.gemm("logits", net.flatten("flatten", y), 4)});
}

/// Cross entropy of every sample by the formula.
std::vector<double> losses(const graph::Model& model, const data::Dataset& dataset) {
  const at::NoGradGuard no_grad;
  Network network(model);
  const data::Batch batch = data::read_all(dataset);
  const at::Tensor logits = network.logits(samples_of(batch, dataset.schema())).to(at::kDouble);
  std::vector<double> result;
  for (int64_t i = 0; i < batch.size; ++i) {
    double sum = 0;
    for (int64_t c = 0; c < logits.size(1); ++c) {
      sum += std::exp(logits[i][c].item<double>());
    }
    result.push_back(std::log(sum) -
                     logits[i][batch.labels[static_cast<size_t>(i)]].item<double>());
  }
  return result;
}

/// With filter and bias of output channel c of a layer x gate.
void scale_channel(graph::Model& model, const std::string& layer, int64_t c, float gate) {
  for (const char* part : {".weight", ".bias"}) {
    graph::Tensor tensor = model.weight(layer + part).clone();
    const auto row = static_cast<size_t>(tensor.size() / tensor.dim(0));
    for (float& value : tensor.data<float>().subspan(static_cast<size_t>(c) * row, row)) {
      value *= gate;
    }
    model.weights[layer + part] = tensor;
  }
}

TEST(Importance, GateGradientsAreSlopesOfEachSamplesLoss) {
  const graph::Model model = tied_network();
  const data::DatasetPtr dataset = few_samples();
  const auto statistics =
      measure_importance(model, *dataset, CriterionNeeds::Gradients, {.batch_size = 3});
  ASSERT_EQ(statistics.size(), 1U);
  const compress::ChannelStatistics& measured = statistics.begin()->second;
  constexpr float kStep = 1e-2F;
  for (int64_t c = 0; c < 6; ++c) {
    graph::Model above = model;
    graph::Model below = model;
    for (const char* layer : {"a", "b"}) {
      scale_channel(above, layer, c, 1 + kStep);
      scale_channel(below, layer, c, 1 - kStep);
    }
    const std::vector<double> more = losses(above, *dataset);
    const std::vector<double> less = losses(below, *dataset);
    double magnitude = 0;
    double square = 0;
    for (size_t i = 0; i < more.size(); ++i) {
      const double slope = (more[i] - less[i]) / (2 * static_cast<double>(kStep));
      magnitude += std::abs(slope) / static_cast<double>(more.size());
      square += slope * slope / static_cast<double>(more.size());
    }
    const auto at = static_cast<size_t>(c);
    EXPECT_NEAR(measured.gate_gradient[at], magnitude, 2e-3 + 0.01 * magnitude) << c;
    EXPECT_NEAR(measured.gate_fisher[at], square, 2e-3 + 0.02 * square) << c;
  }
  EXPECT_GT(*std::max_element(measured.gate_gradient.begin(), measured.gate_gradient.end()), 0.02);
}

TEST(Importance, ActivationsAreThoseThatTheNextLayersRead) {
  const graph::Model model = tied_network();
  const data::DatasetPtr dataset = few_samples();
  const auto statistics =
      measure_importance(model, *dataset, CriterionNeeds::Activations, {.batch_size = 3});
  const at::NoGradGuard no_grad;
  Network network(model);
  const data::Batch batch = data::read_all(*dataset);
  const at::Tensor relu = network.forward(samples_of(batch, dataset->schema()), {.keep = {"relu2"}})
                              .at("relu2");  // the linear layer reads it, pooled
  const compress::ChannelStatistics& measured = statistics.begin()->second;
  for (int64_t c = 0; c < 6; ++c) {
    const at::Tensor own = relu.select(1, c);
    const auto at = static_cast<size_t>(c);
    EXPECT_NEAR(measured.mean_activation[at], own.mean().item<double>(), 1e-5);
    EXPECT_NEAR(
        measured.nonzero_share[at],
        static_cast<double>(own.ne(0).sum().item<int64_t>()) / static_cast<double>(own.numel()),
        1e-6);
  }
  EXPECT_TRUE(measured.gate_gradient.empty()) << "nobody asked for them";
}

TEST(Importance, ChannelsOfConvolutionGroupsCountTogether) {
  const graph::Model model = [] {
    compress::Network net(graph::DType::F32, {1, 8, 8});
    const std::string x = net.relu("relu", net.conv("conv", "input", 4));
    const std::string y = net.relu("relu2", net.conv("grouped", x, 4, 3, 2));
    return net.build({net.gemm("logits", net.flatten("flatten", net.max_pool("pool", y)), 4)});
  }();
  const data::DatasetPtr dataset = few_samples();
  const auto statistics = measure_importance(model, *dataset, CriterionNeeds::Activations);
  const at::NoGradGuard no_grad;
  Network network(model);
  const at::Tensor relu =
      network.forward(samples_of(data::read_all(*dataset), dataset->schema()), {.keep = {"relu"}})
          .at("relu");
  ASSERT_EQ(statistics.at("conv").mean_activation.size(), 2U);
  for (int64_t c = 0; c < 2; ++c) {
    const double both = (relu.select(1, c).mean() + relu.select(1, c + 2).mean()).item<double>();
    EXPECT_NEAR(statistics.at("conv").mean_activation[static_cast<size_t>(c)], both / 2, 1e-5);
  }
}

TEST(Importance, DoesNotDependOnTheBatch) {
  const graph::Model model = tied_network();
  const data::DatasetPtr dataset = few_samples(20);
  const auto by = [&](int64_t batch_size) {
    return measure_importance(model,
                              *dataset,
                              CriterionNeeds::Gradients,
                              {.samples = 10, .batch_size = batch_size})
        .begin()
        ->second;
  };
  const compress::ChannelStatistics one = by(1);
  const compress::ChannelStatistics all = by(64);
  for (size_t c = 0; c < 6; ++c) {
    EXPECT_NEAR(one.gate_gradient[c], all.gate_gradient[c], 1e-5);
    EXPECT_NEAR(one.gate_fisher[c], all.gate_fisher[c], 1e-5);
    EXPECT_NEAR(one.mean_activation[c], all.mean_activation[c], 1e-5);
  }
}

TEST(Importance, NeedsLabelsForGradients) {
  const data::DatasetPtr images = testing::quarters(8, 1);
  const data::Batch batch = data::read_all(*images);
  const auto unlabelled = data::make_memory_dataset(
      images->schema(), batch.samples, std::vector<int64_t>(batch.labels.size(), -1));
  const graph::Model model = testing::quarter_network(1);
  EXPECT_NO_THROW(measure_importance(model, *unlabelled, CriterionNeeds::Activations));
  try {
    measure_importance(model, *unlabelled, CriterionNeeds::Gradients);
    FAIL() << "there are no labels";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("has no labels"));
  }
}

/// A network whose channels of odd number are almost zero before their BN, and off behind it.
graph::Model half_useless() {
  graph::Model model =
      graph::build_model({.name = "cnn", .widths = {12, 16}}, testing::quarter_input(), 3);
  core::Rng rng(9);
  const auto spoil = [&](const std::string& weight, float factor, float bias) {
    graph::Tensor tensor = model.weight(weight).clone();
    const auto row = static_cast<size_t>(tensor.size() / tensor.dim(0));
    for (size_t i = 0; i < static_cast<size_t>(tensor.size()); ++i) {
      float& value = tensor.data<float>()[i];
      value = (i / row) % 2 == 1 ? factor * value + bias
                                 : value + static_cast<float>(0.02 * rng.uniform());
    }
    model.weights[weight] = tensor;
  };
  for (const char* n : {"1", "2"}) {
    spoil(std::string("conv") + n + ".weight", 1e-3F, 0);
    spoil(std::string("bn") + n + ".scale", 1e-3F, 0);
    spoil(std::string("bn") + n + ".bias", 0, -0.5F);
  }
  return model;
}

class EveryCriterion : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryCriterion, FindsTheUselessHalfThatRandomDoesNot) {
  const graph::Model model = half_useless();
  const auto statistics =
      measure_importance(model, *testing::quarters(32, 7), CriterionNeeds::Gradients);
  int64_t found = 0;
  int64_t useless = 0;
  for (const ChannelGroup& group : compress::find_groups(model)) {
    if (!group.prunable) {
      continue;
    }
    const auto order =
        compress::weakest_first(compress::score_channels(GetParam(), model, group, &statistics));
    for (int64_t i = 0; i < group.channels / 2; ++i) {
      found += order[static_cast<size_t>(i)] % 2;
      ++useless;
    }
  }
  ASSERT_EQ(useless, 14);
  if (GetParam() == "random") {
    EXPECT_LT(found, 11);
  } else {
    EXPECT_EQ(found, useless);
  }
}

INSTANTIATE_TEST_SUITE_P(Criteria,
                         EveryCriterion,
                         ::testing::ValuesIn(compress::criteria().names()),
                         [](const auto& c) { return c.param; });

}  // namespace

}  // namespace coppice::train
