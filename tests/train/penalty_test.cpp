#include "train/penalty.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "graph/builder.h"
#include "train/decoupled_decay.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/parameter.h"

namespace coppice::train {

namespace {

/// A convolution with BatchNorm, a hidden linear layer and an output layer.
Network penalised_network() {
  graph::Builder builder(graph::DType::F32, {2, 4, 4}, core::Rng(3));
  std::string x = builder.conv(builder.input(), 3, {.kernel = {3, 3}}, false);
  x = builder.flatten(builder.relu(builder.batch_norm(x)));
  x = builder.gemm(x, 4);
  x = builder.gemm(x, 2, true, "logits");
  Network network(builder.build({x}));
  for (const Parameter& p : network.parameters()) {
    if (p.kind == ParameterKind::NormScale) {
      p.value.detach()[1].fill_(-0.5);
    }
    p.value.mutable_grad() = at::zeros_like(p.value.detach());
  }
  return network;
}

class EveryPenalty : public ::testing::TestWithParam<PenaltyEntry> {};

TEST_P(EveryPenalty, IsProportionalToItsStrengthAndNotZero) {
  Network network = penalised_network();
  const double once = GetParam().make(network, 1)->add_gradient(0);
  EXPECT_GT(once, 0.1);
  EXPECT_NEAR(GetParam().make(network, 0.25)->add_gradient(0), 0.25 * once, 1e-5 * once);
}

TEST_P(EveryPenalty, ItsGradientIsTheSlopeOfItsValue) {
  Network network = penalised_network();
  const auto penalty = GetParam().make(network, 0.7);
  penalty->add_gradient(0);
  std::vector<at::Tensor> gradients;
  for (const Parameter& p : network.parameters()) {
    gradients.push_back(p.value.grad().clone());
  }
  constexpr double kStep = 1e-2;
  double largest = 0;
  for (size_t i = 0; i < network.parameters().size(); ++i) {
    const at::Tensor values = network.parameters()[i].value.detach().view(-1);
    const at::Tensor gradient = gradients[i].view(-1);
    for (int64_t k = 0; k < values.size(0); k += 3) {
      const double before = values[k].item<double>();
      if (std::abs(before) < 2 * kStep && before != 0) {
        continue;  // across a kink
      }
      values[k].fill_(before + kStep);
      const double above = penalty->add_gradient(0);
      values[k].fill_(before - kStep);
      const double below = penalty->add_gradient(0);
      values[k].fill_(before);
      EXPECT_NEAR(gradient[k].item<double>(), (above - below) / (2 * kStep), 2e-3)
          << network.parameters()[i].name << " " << k;
      largest = std::max(largest, std::abs(gradient[k].item<double>()));
    }
  }
  EXPECT_GT(largest, 0.05);
}

TEST_P(EveryPenalty, AddsToTheGradientThatIsThere) {
  Network network = penalised_network();
  const auto penalty = GetParam().make(network, 0.3);
  penalty->add_gradient(0);
  std::vector<at::Tensor> once;
  for (const Parameter& p : network.parameters()) {
    once.push_back(p.value.grad().clone());
  }
  penalty->add_gradient(0);
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_TRUE(network.parameters()[i].value.grad().allclose(once[i].mul(2)));
  }
}

TEST_P(EveryPenalty, IsMadeOnlyWhenItIsOn) {
  const Network network = penalised_network();
  recipe::PenaltyOptions options;
  EXPECT_TRUE(make_penalties(network, options).empty());
  options.*GetParam().strength = 1;
  EXPECT_EQ(make_penalties(network, options).size(), 1);
}

INSTANTIATE_TEST_SUITE_P(Penalties,
                         EveryPenalty,
                         ::testing::ValuesIn(penalties()),
                         [](const auto& c) { return std::string(c.param.name); });

/// The kinds and layers whose gradient a penalty changes.
std::vector<std::string> touched_by(PenaltyFactory make) {
  Network network = penalised_network();
  make(network, 1)->add_gradient(0);
  std::vector<std::string> names;
  for (const Parameter& p : network.parameters()) {
    if (p.value.grad().abs().sum().item<double>() > 0) {
      names.push_back(p.name);
    }
  }
  return names;
}

TEST(Penalties, AreAboutTheParametersThatTheirPapersName) {
  const Network network = penalised_network();
  const auto names = [&](const auto& wanted) {
    std::vector<std::string> result;
    for (const Parameter& p : network.parameters()) {
      if (wanted(p)) {
        result.push_back(p.name);
      }
    }
    return result;
  };
  const auto weights = names([](const Parameter& p) { return p.kind == ParameterKind::Weight; });
  ASSERT_EQ(weights.size(), 3);
  EXPECT_EQ(touched_by(make_l1), weights);
  EXPECT_EQ(touched_by(make_l2), weights);
  EXPECT_EQ(touched_by(make_group_lasso), (std::vector<std::string>{weights[0], weights[1]}));
  EXPECT_EQ(touched_by(make_bn_sparsity),
            names([](const Parameter& p) { return p.kind == ParameterKind::NormScale; }));
}

TEST(Penalties, HaveTheirClosedForms) {
  Network network = penalised_network();
  double magnitudes = 0;
  double squares = 0;
  double norms = 0;
  for (const Parameter& p : network.parameters()) {
    if (p.kind != ParameterKind::Weight) {
      continue;
    }
    const at::Tensor rows = p.value.detach().flatten(1).contiguous();
    for (int64_t r = 0; r < rows.size(0); ++r) {
      double square = 0;
      for (int64_t k = 0; k < rows.size(1); ++k) {
        const double w = rows[r][k].item<double>();
        magnitudes += std::abs(w);
        square += w * w;
      }
      squares += square;
      norms += p.name == "logits.weight" ? 0 : std::sqrt(square);
    }
  }
  EXPECT_NEAR(make_l1(network, 2)->add_gradient(0), 2 * magnitudes, 1e-4);
  EXPECT_NEAR(make_l2(network, 2)->add_gradient(0), squares, 1e-4);
  EXPECT_NEAR(make_group_lasso(network, 2)->add_gradient(0), 2 * norms, 1e-4);
  EXPECT_NEAR(make_bn_sparsity(network, 2)->add_gradient(0), 2 * 2.5, 1e-6);
}

TEST(Penalties, AChannelOfZerosHasNoSlope) {
  Network network = penalised_network();
  const Parameter& conv = network.parameters()[0];
  conv.value.detach()[1].fill_(0);
  make_group_lasso(network, 1)->add_gradient(0);
  EXPECT_EQ(conv.value.grad()[1].abs().sum().item<double>(), 0);
  EXPECT_NEAR(conv.value.grad()[0].square().sum().item<double>(), 1, 1e-5);
}

TEST(DecoupledDecay, ShrinksWeightsAndNothingElse) {
  const Network network = penalised_network();
  std::vector<at::Tensor> before;
  for (const Parameter& p : network.parameters()) {
    before.push_back(p.value.detach().clone());
  }
  decay_weights(network.parameters(), 0.25);
  for (size_t i = 0; i < before.size(); ++i) {
    const Parameter& p = network.parameters()[i];
    const double factor = p.kind == ParameterKind::Weight ? 0.75 : 1;
    EXPECT_TRUE(p.value.detach().allclose(before[i].mul(factor))) << p.name;
  }
}

TEST(DecoupledDecay, MakesAdamAdamW) {
  const Network one = penalised_network();
  const Network two = penalised_network();
  recipe::OptimizerOptions options;
  options.name = "adamw";
  options.weight_decay = 0.3;
  const auto adamw = make_optimizer(one.parameters(), options);
  options.name = "adam";
  options.weight_decay = 0;
  const auto adam = make_optimizer(two.parameters(), options);
  for (int step = 1; step < 4; ++step) {
    for (const Network* network : {&one, &two}) {
      for (const Parameter& p : network->parameters()) {
        p.value.mutable_grad().fill_(0.1 * step);
      }
    }
    adamw->step(0.05);
    decay_weights(two.parameters(), 0.05 * 0.3);
    adam->step(0.05);
  }
  for (size_t i = 0; i < one.parameters().size(); ++i) {
    EXPECT_TRUE(one.parameters()[i].value.allclose(two.parameters()[i].value, 1e-5, 1e-7));
  }
}

/// fc1's four filters have L1 norms 3, 1, 8, 0.3; half of them are to go.
Network growing_network() {
  graph::Builder builder(graph::DType::F32, {2}, core::Rng(3));
  const std::string x = builder.relu(builder.gemm(builder.input(), 4, true, "fc1"));
  Network network(builder.build({builder.gemm(x, 2, true, "logits")}));
  const float rows[4][2] = {{1, -2}, {0.5F, 0.5F}, {-4, 4}, {0.1F, 0.2F}};
  for (const Parameter& p : network.parameters()) {
    p.value.mutable_grad() = at::zeros_like(p.value.detach());
    if (p.name == network.graph().at("fc1").inputs[1]) {
      for (int64_t r = 0; r < 4; ++r) {
        for (int64_t c = 0; c < 2; ++c) {
          p.value.detach()[r][c].fill_(rows[r][c]);
        }
      }
    }
  }
  return network;
}

TEST(GrowingRegularisation, GrowsUpToItsCeilingOnTheWeakestFilters) {
  Network network = growing_network();
  const auto penalty =
      make_growing(network, {.ceiling = 0.5, .share = 0.5, .increment = 0.2, .every = 10});
  const double half_squares = (0.25 + 0.25 + 0.01 + 0.04) / 2;
  EXPECT_NEAR(penalty->add_gradient(0), 0.2 * half_squares, 1e-6);
  EXPECT_NEAR(penalty->add_gradient(9), 0.2 * half_squares, 1e-6);
  EXPECT_NEAR(penalty->add_gradient(10), 0.4 * half_squares, 1e-6);
  EXPECT_NEAR(penalty->add_gradient(1000), 0.5 * half_squares, 1e-6);
  for (const Parameter& p : network.parameters()) {
    const at::Tensor gradient = p.value.grad();
    if (p.name == network.graph().at("fc1").inputs[1]) {
      const double strengths = 0.2 + 0.2 + 0.4 + 0.5;
      EXPECT_EQ(gradient[0].abs().sum().item<double>(), 0);
      EXPECT_EQ(gradient[2].abs().sum().item<double>(), 0);
      EXPECT_NEAR(gradient[1][0].item<double>(), strengths * 0.5, 1e-6);
      EXPECT_NEAR(gradient[3][1].item<double>(), strengths * 0.2, 1e-6);
    } else {
      EXPECT_EQ(gradient.abs().sum().item<double>(), 0) << p.name << ": classes stay";
    }
  }
}

TEST(GrowingRegularisation, RemembersWhichFiltersItChose) {
  Network network = growing_network();
  const auto penalty =
      make_growing(network, {.ceiling = 1, .share = 0.5, .increment = 1, .every = 1});
  const at::Tensor weight = network.weights().at(network.graph().at("fc1").inputs[1]).detach();
  weight[1].fill_(100);  // as after a restored checkpoint
  EXPECT_NEAR(penalty->add_gradient(5), (2 * 1e4 + 0.05) / 2, 0.01);
}

/// Without a loss, SGD leaves w x the product over steps of (1 - learning rate x strength).
TEST(GrowingRegularisation, ShrinksTheChosenFiltersAsThePaperSays) {
  Network network = growing_network();
  const recipe::GrowingOptions options{.ceiling = 0.7, .share = 0.5, .increment = 0.1, .every = 3};
  const auto penalty = make_growing(network, options);
  const at::Tensor weight = network.weights().at(network.graph().at("fc1").inputs[1]);
  const at::Tensor before = weight.detach().clone();
  constexpr double kRate = 0.2;
  double factor = 1;
  double strength = 0;
  for (int64_t step = 0; step < 30; ++step) {
    strength = step % 3 == 0 ? std::min(0.7, strength + 0.1) : strength;
    factor *= 1 - kRate * strength;
    weight.mutable_grad().zero_();
    penalty->add_gradient(step);
    weight.detach().sub_(weight.grad(), kRate);
  }
  EXPECT_LT(factor, 0.1);
  for (const int64_t chosen : {1, 3}) {
    EXPECT_TRUE(weight.detach()[chosen].allclose(before[chosen].mul(factor), 1e-4));
  }
  EXPECT_TRUE(weight.detach()[2].equal(before[2]));
}

TEST(Penalties, RefuseANetworkInWhichTheyFindNothing) {
  graph::Builder builder(graph::DType::F32, {2}, core::Rng(3));
  const Network one_layer(builder.build({builder.gemm(builder.input(), 3, true, "logits")}));
  EXPECT_ERROR(make_bn_sparsity(one_layer, 1),
               InvalidArgument,
               ::testing::HasSubstr("penalty.bn_sparsity: the network has no BatchNorm"));
  EXPECT_ERROR(make_group_lasso(one_layer, 1),
               InvalidArgument,
               ::testing::HasSubstr("penalty.group_lasso: the network has no hidden layer"));
  EXPECT_ERROR(make_growing(one_layer, {.ceiling = 1}),
               InvalidArgument,
               ::testing::HasSubstr("penalty.growing: there is no filter"));
  EXPECT_ERROR(make_growing(growing_network(), {.ceiling = 1, .share = 0.2}),
               InvalidArgument,
               ::testing::HasSubstr("'share' is less than one channel"));
}

TEST(GrowingRegularisation, IsMadeOnlyWhenItIsOn) {
  const Network network = growing_network();
  recipe::PenaltyOptions options;
  EXPECT_TRUE(make_penalties(network, options).empty());
  options.growing.ceiling = 1;
  EXPECT_EQ(make_penalties(network, options).size(), 1);
}

}  // namespace

}  // namespace coppice::train
