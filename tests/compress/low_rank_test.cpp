#include "compress/low_rank.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "compress/low_rank/factors.h"
#include "compress/low_rank_reference.h"
#include "compress/network.h"
#include "core/error.h"
#include "graph/cost.h"
#include "graph/models.h"
#include "runtime/engine.h"

namespace coppice::compress {

namespace {

using graph::testing::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

graph::Tensor f32(graph::Shape shape, const std::vector<float>& values) {
  return graph::Tensor::from<float>(std::move(shape), values);
}

graph::Tensor outputs_of(const graph::Model& model) {
  graph::Shape shape = model.graph.inputs().at(0)->shape;
  shape[0] = 4;
  graph::Tensor input(graph::DType::F32, shape);
  core::Rng rng(9);
  for (float& value : input.data<float>()) {
    value = static_cast<float>(rng.normal());
  }
  const auto engine = runtime::build_engine(model, {.backend = "reference", .max_batch = 4});
  return runtime::run_all(*engine, input, 4);
}

/// Of the outputs, relative to the largest of them.
double output_error(const graph::Model& whole, const graph::Model& parts) {
  const graph::Tensor x = outputs_of(whole);
  const graph::Tensor y = outputs_of(parts);
  double difference = 0;
  double largest = 0;
  for (size_t i = 0; i < x.data<float>().size(); ++i) {
    const double value = x.data<float>()[i];
    difference = std::max(difference, std::abs(value - y.data<float>()[i]));
    largest = std::max(largest, std::abs(value));
  }
  return difference / largest;
}

/// A weight [out, in, height, width] that is a sum of `rank` products, so that parts of that rank
/// lose nothing.
void make_low_rank(graph::Model& model, const std::string& weight, int64_t rank) {
  core::Rng rng(3);
  const graph::Shape shape = model.weight(weight).shape();
  std::vector<std::vector<double>> factors;
  for (size_t side = 0; side < shape.size(); ++side) {
    factors.emplace_back();
    for (int64_t i = 0; i < shape[side] * rank; ++i) {
      factors.back().push_back(rng.normal());
    }
  }
  graph::Tensor tensor(graph::DType::F32, shape);
  int64_t at = 0;
  for (float& value : tensor.data<float>()) {
    int64_t rest = at++;
    std::vector<int64_t> index(shape.size());
    for (size_t side = shape.size(); side-- > 0;) {
      index[side] = rest % shape[side];
      rest /= shape[side];
    }
    double sum = 0;
    for (int64_t r = 0; r < rank; ++r) {
      double product = 1;
      for (size_t side = 0; side < shape.size(); ++side) {
        product *= factors[side][static_cast<size_t>(index[side] * rank + r)];
      }
      sum += product;
    }
    value = 0.1F * static_cast<float>(sum);
  }
  model.weights[weight] = std::move(tensor);
}

/// Convolutions with a stride, a dilation, uneven padding, one in groups, a 1x1 and linear layers.
graph::Model low_rank_network() {
  Network net(graph::DType::F32, {8, 12, 12});
  std::string x = net.relu("relu1", net.conv("conv1", "input", 16));
  x = net.relu(
      "relu2",
      net.append(
          "conv2",
          graph::Op::Conv,
          {x, net.weight("conv2.weight", {16, 16, 3, 3}, 0.1), net.weight("conv2.bias", {16}, 0.1)},
          graph::ConvAttributes{
              .kernel = {3, 3}, .stride = {2, 1}, .pads = {1, 2, 0, 2}, .dilation = {1, 2}}));
  x = net.relu("relu3", net.conv("depthwise", x, 16, 3, 16));
  x = net.relu("relu4", net.conv("point", x, 24, 1));
  x = net.relu("relu5", net.gemm("fc1", net.flatten("flat", net.max_pool("pool", x)), 20));
  graph::Model model = net.build({net.gemm("fc2", x, 10)});
  for (const std::string name : {"conv1", "conv2", "point", "fc1"}) {
    make_low_rank(model, name + ".weight", 3);
  }
  return model;
}

const LowRankReport::Row& row_of(const LowRankReport& report, const std::string& node) {
  for (const auto& row : report.rows) {
    if (row.node == node) {
      return row;
    }
  }
  throw std::runtime_error("no row " + node);
}

TEST(LowRankFactors, SingularValuesAndTheBestApproximationAreNumpys) {
  const Kernel kernel = kernel_of(f32({6, 9}, reference::kMatrix));
  const Vector values = singular_values(kernel.by_out);
  ASSERT_EQ(values.size(), std::ssize(reference::kSingularValues));
  double tail = 0;
  for (int64_t rank = values.size(); rank >= 1; --rank) {
    EXPECT_NEAR(values[rank - 1], reference::kSingularValues[static_cast<size_t>(rank - 1)], 1e-6);
    const SvdFactors factors = factor_svd(kernel.by_out, rank);
    EXPECT_NEAR((kernel.by_out - factors.left * factors.right).norm(), std::sqrt(tail), 1e-6);
    EXPECT_NEAR(factors.left.norm(), factors.right.norm(), 1e-9);
    tail += std::pow(reference::kSingularValues[static_cast<size_t>(rank - 1)], 2);
  }
}

TEST(LowRankFactors, TuckerFindsWhatNumpyFinds) {
  const Kernel kernel = kernel_of(f32({6, 5, 3, 3}, reference::kKernel));
  for (const auto& [rank_out, rank_in, error] : reference::kTucker) {
    const TuckerFactors factors = factor_tucker(kernel, rank_out, rank_in, 500);
    EXPECT_NEAR((kernel.by_out - factors.by_out()).norm(), error, 1e-5)
        << rank_out << " " << rank_in;
    EXPECT_TRUE((factors.out.transpose() * factors.out).isIdentity(1e-9));
    EXPECT_TRUE((factors.in.transpose() * factors.in).isIdentity(1e-9));
  }
}

TEST(LowRankFactors, CpFindsTheComponentsThatThereAre) {
  graph::Model model = low_rank_network();
  const Kernel kernel = kernel_of(model.weight("conv1.weight"));
  double before = kernel.norm();
  for (int64_t rank = 1; rank <= 3; ++rank) {
    const double error = (kernel.by_out - factor_cp(kernel, rank, 1000).by_out()).norm();
    EXPECT_LT(error, before) << rank;
    before = error;
  }
  EXPECT_LT(before, 1e-4 * kernel.norm());
}

TEST(LowRankFactors, VariationalBayesTellsSignalFromNoise) {
  for (const auto& c : reference::kVbmf) {
    const auto values =
        Eigen::Map<const Vector>(c.singular_values.data(), std::ssize(c.singular_values));
    const VbmfRank found = vbmf_rank(values, c.rows, c.columns);
    EXPECT_EQ(found.rank, c.rank) << c.rows << " x " << c.columns;
    EXPECT_NEAR(found.noise / c.noise, 1, 1e-4) << c.rows << " x " << c.columns;
    EXPECT_EQ(vbmf_rank(values, c.columns, c.rows).rank, c.rank) << "either way round";
  }
}

TEST(LowRankFactors, EnergyIsOfTheSquares) {
  const Vector values = Eigen::Vector3d(2, 1, 1);
  EXPECT_EQ(rank_of_energy(values, 0.5), 1);
  EXPECT_EQ(rank_of_energy(values, 0.67), 2);
  EXPECT_EQ(rank_of_energy(values, 1), 3);
  EXPECT_EQ(rank_of_energy(values, 0), 1);
}

class EveryFactorisation : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryFactorisation, OfItsTrueRankComputesTheSame) {
  const graph::Model model = low_rank_network();
  LowRankReport report;
  const graph::Model small =
      factorise(model, {.energy = 0.9999999, .conv = GetParam(), .max_iterations = 2000}, &report);
  EXPECT_LT(output_error(model, small), 1e-4);
  for (const std::string name : {"conv1", "conv2"}) {
    EXPECT_EQ(row_of(report, name).method, GetParam()) << name;
    EXPECT_EQ(row_of(report, name).rank_out, 3) << name;
    EXPECT_LT(row_of(report, name).error, 1e-4) << name;
  }
  EXPECT_EQ(row_of(report, "point").method, "svd");
  EXPECT_EQ(row_of(report, "fc1").method, "svd");
  EXPECT_THAT(row_of(report, "depthwise").reason, HasSubstr("in groups"));
  EXPECT_THAT(row_of(report, "fc2").reason, HasSubstr("would not shrink"));
  // What the report says of costs is what the graph has.
  const auto before = graph::cost(model);
  const auto after = graph::cost(small);
  int64_t parameters = before.parameters;
  int64_t macs = before.macs;
  for (const auto& row : report.rows) {
    if (!row.method.empty()) {
      parameters += row.parameters - row.parameters_before;
      macs += row.macs - row.macs_before;
      EXPECT_LT(row.parameters, row.parameters_before);
      EXPECT_LT(row.macs, row.macs_before);
    }
  }
  EXPECT_EQ(after.parameters, parameters);
  EXPECT_EQ(after.macs, macs);
}

TEST_P(EveryFactorisation, LosesLessWithHigherRanks) {
  graph::Model model = low_rank_network();
  model.weights["conv1.weight"] = graph::testing::random_tensor({16, 8, 3, 3}, 8);
  double before = std::numeric_limits<double>::infinity();
  int ranks = 0;
  for (const double energy : {0.2, 0.4, 0.6}) {
    LowRankReport report;
    factorise(model, {.energy = energy, .conv = GetParam(), .layers = {"conv1"}}, &report);
    const auto& row = row_of(report, "conv1");
    EXPECT_LT(row.error, before) << energy;
    EXPECT_LT(row.error, 1);
    before = row.error;
    ranks += static_cast<int>(row.rank_out);
  }
  EXPECT_GT(ranks, 6);
}

INSTANTIATE_TEST_SUITE_P(Convolutions, EveryFactorisation, ::testing::Values("tucker", "cp"));

TEST(LowRank, AKernelOfHeightOneNeedsNoVerticalPart) {
  Network net(graph::DType::F32, {8, 1, 20});
  net.append(
      "conv",
      graph::Op::Conv,
      {"input", net.weight("conv.weight", {12, 8, 1, 5}, 1), net.weight("conv.bias", {12}, 1)},
      graph::ConvAttributes{.kernel = {1, 5}, .stride = {1, 2}, .pads = {0, 4, 0, 0}});
  graph::Model model = net.build({"conv"});
  make_low_rank(model, "conv.weight", 2);
  const graph::Model small =
      factorise(model, {.energy = 0.9999999, .conv = "cp", .max_iterations = 2000});
  EXPECT_EQ(small.graph.nodes.size(), 4u) << "input, 1x1, 1x5, 1x1";
  EXPECT_LT(output_error(model, small), 1e-4);
}

TEST(LowRank, ASideOfOneKeepsItsStrideAndItsPadding) {
  for (const graph::Shape& kernel : {graph::Shape{1, 5}, graph::Shape{5, 1}}) {
    Network net(graph::DType::F32, {8, 9, 11});
    net.append("conv",
               graph::Op::Conv,
               {"input",
                net.weight("conv.weight", {12, 8, kernel[0], kernel[1]}, 1),
                net.weight("conv.bias", {12}, 1)},
               graph::ConvAttributes{
                   .kernel = kernel, .stride = {2, 3}, .pads = {1, 0, 1, 2}, .dilation = {2, 2}});
    graph::Model model = net.build({"conv"});
    make_low_rank(model, "conv.weight", 2);
    LowRankReport report;
    const graph::Model small =
        factorise(model, {.energy = 0.9999999, .conv = "cp", .max_iterations = 2000}, &report);
    EXPECT_EQ(small.graph.at("conv").shape, model.graph.at("conv").shape);
    EXPECT_LT(output_error(model, small), 1e-4);
    EXPECT_EQ(graph::cost(small).macs, report.rows.at(0).macs);
  }
}

TEST(LowRank, BudgetsOfTheWholeModelAreHeldAndUsed) {
  const graph::Model model =
      graph::build_model({.name = "mlp", .widths = {48, 32}}, graph::testing::fashion_input(), 1);
  const graph::Cost before = graph::cost(model);
  const graph::Cost by_macs = graph::cost(factorise(model, {.rank = "macs", .ratio = 0.6}));
  const double macs = static_cast<double>(by_macs.macs) / static_cast<double>(before.macs);
  EXPECT_LE(macs, 0.6);
  EXPECT_GT(macs, 0.5);
  const graph::Cost by_size = graph::cost(factorise(model, {.rank = "parameters", .ratio = 0.3}));
  const double size =
      static_cast<double>(by_size.parameters) / static_cast<double>(before.parameters);
  EXPECT_LE(size, 0.3);
  EXPECT_GT(size, 0.25);
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] { factorise(model, {.rank = "macs", .ratio = 0.005}); }),
              HasSubstr("cannot be reached"));
}

TEST(LowRank, VariationalBayesFindsTheRanksOfNoisyLayers) {
  graph::Model model = low_rank_network();
  graph::Tensor noisy = model.weight("conv1.weight").clone();
  core::Rng rng(4);
  for (float& value : noisy.data<float>()) {
    value += static_cast<float>(0.01 * rng.normal());
  }
  model.weights["conv1.weight"] = noisy;
  LowRankReport report;
  factorise(model, {.rank = "vbmf", .layers = {"conv1"}}, &report);
  EXPECT_EQ(report.rows.at(0).rank_out, 3);
  EXPECT_EQ(report.rows.at(0).rank_in, 3);
}

TEST(LowRank, RefusesWhatItCannotDo) {
  using enum core::ErrorKind;
  const graph::Model model = low_rank_network();
  EXPECT_THAT(message_of(InvalidArgument, [&] { factorise(model, {.layers = {"con1"}}); }),
              AllOf(HasSubstr("'con1' fits no layer"), HasSubstr("conv1")));
  EXPECT_THAT(message_of(InvalidArgument,
                         [&] {
                           factorise(model, {.energy = 0.999, .layers = {"fc2", "depth*"}});
                         }),
              AllOf(HasSubstr("no layer would shrink"),
                    HasSubstr("'fc2' would not shrink"),
                    HasSubstr("'depthwise' is a convolution in groups")));
  EXPECT_THAT(message_of(InvalidArgument, [&] { factorise(model, {.exclude = {"*"}}); }),
              HasSubstr("every layer is excluded"));
  graph::Model broken = model;
  graph::Tensor weight = model.weight("conv1.weight").clone();
  weight.data<float>()[0] = std::numeric_limits<float>::infinity();
  broken.weights["conv1.weight"] = weight;
  message_of(Numeric, [&] { factorise(broken, {}); });
}

}  // namespace

}  // namespace coppice::compress
