#include "compress/criteria.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "core/error.h"

namespace coppice::compress {

namespace {

using OfWeights = std::vector<double> (*)(const graph::Model&, const ChannelGroup&);
using OfData = std::vector<double> (*)(const ChannelStatistics&);

template <OfWeights kScore>
constexpr Criterion of_weights(bool comparable = false) {
  return {.score = [](const graph::Model& model,
                      const ChannelGroup& group,
                      const ChannelStatistics&) { return kScore(model, group); },
          .needs = CriterionNeeds::Nothing,
          .comparable = comparable};
}

template <OfData kScore>
constexpr Criterion of_data(CriterionNeeds needs) {
  return {.score = [](const graph::Model&,
                      const ChannelGroup&,
                      const ChannelStatistics& statistics) { return kScore(statistics); },
          .needs = needs,
          .comparable = needs == CriterionNeeds::Gradients};
}

[[noreturn]] void refuse_statistics(const std::string& criterion, const std::string& reason) {
  throw core::Error(core::ErrorKind::InvalidArgument, "criterion '" + criterion + "' " + reason);
}

}  // namespace

const core::Registry<Criterion>& criteria() {
  static const core::Registry<Criterion> kRegistry = [] {
    using enum CriterionNeeds;
    core::Registry<Criterion> r("prune criterion");
    r.add("l1", of_weights<score_l1>(), "sum of absolute producing weights");
    r.add("l2", of_weights<score_l2>(), "Euclidean norm of the producing weights");
    r.add("geometric_median",
          of_weights<score_geometric_median>(),
          "distance to the group's other filters (FPGM)");
    r.add("bn_scale", of_weights<score_bn_scale>(), "absolute batch-norm scale (Network Slimming)");
    r.add("lamp", of_weights<score_lamp>(true), "squared norm over that of all stronger ones");
    r.add("random", of_weights<score_random>(), "random, seeded from the group's name; a baseline");
    r.add("mean_activation",
          of_data<score_mean_activation>(Activations),
          "mean magnitude of the activations; needs data");
    r.add("apoz",
          of_data<score_apoz>(Activations),
          "share of activations that are not zero (Network Trimming); needs data");
    r.add("taylor",
          of_data<score_taylor>(Gradients),
          "first-order change of the loss (Molchanov); needs labelled data");
    r.add("fisher",
          of_data<score_fisher>(Gradients),
          "Fisher diagonal, as Optimal Brain Damage; needs labelled data");
    return r;
  }();
  return kRegistry;
}

bool needs_data(const std::string& criterion) {
  return criteria().get(criterion).needs != CriterionNeeds::Nothing;
}

std::vector<double> score_channels(const std::string& criterion,
                                   const graph::Model& model,
                                   const ChannelGroup& group,
                                   const Statistics* statistics) {
  const Criterion& entry = criteria().get(criterion);
  static const ChannelStatistics kNone{};
  const ChannelStatistics* own = &kNone;
  if (entry.needs != CriterionNeeds::Nothing) {
    if (statistics == nullptr) {
      refuse_statistics(criterion,
                        "needs data; give the job an input 'train' (a data-set version)");
    }
    const auto found = statistics->find(group.name);
    if (found == statistics->end()) {
      refuse_statistics(criterion, "has no statistics of group '" + group.name + "'");
    }
    own = &found->second;
  }
  std::vector<double> scores = entry.score(model, group, *own);
  if (std::ssize(scores) != group.channels) {
    refuse_statistics(criterion, "has no statistics of this model's group '" + group.name + "'");
  }
  if (!std::all_of(scores.begin(), scores.end(), [](double s) { return std::isfinite(s); })) {
    throw core::Error(core::ErrorKind::Numeric,
                      "prune: the weights of group '" + group.name + "' are not finite");
  }
  return scores;
}

std::vector<int64_t> weakest_first(const std::vector<double>& scores) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return scores[static_cast<size_t>(a)] < scores[static_cast<size_t>(b)];
  });
  return order;
}

std::vector<float> producing_values(const graph::Model& model,
                                    const ChannelSlice& slice,
                                    int64_t c) {
  const graph::Tensor& weight = model.weight(slice.weight);
  if (weight.dtype() != graph::DType::F32) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "weight '" + slice.weight + "' is " + std::string(to_string(weight.dtype())) +
                          "; channels are ranked by f32 weights only");
  }
  int64_t outer = 1;
  for (size_t d = 0; d < slice.dimension; ++d) {
    outer *= weight.dim(d);
  }
  const int64_t places = weight.dim(slice.dimension);
  const int64_t inner = weight.size() / (outer * places);
  const std::span<const float> values = weight.data<float>();
  std::vector<float> result;
  for (int64_t o = 0; o < outer; ++o) {
    const auto piece =
        values.subspan(static_cast<size_t>((o * places + slice.offset + c * slice.block) * inner),
                       static_cast<size_t>(slice.block * inner));
    result.insert(result.end(), piece.begin(), piece.end());
  }
  return result;
}

}  // namespace coppice::compress
