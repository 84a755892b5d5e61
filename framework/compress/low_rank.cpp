#include "compress/low_rank.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compress/low_rank/factors.h"
#include "compress/low_rank/plan.h"
#include "compress/low_rank/rewrite.h"
#include "core/error.h"
#include "graph/cost.h"

namespace coppice::compress {

void LowRankOptions::visit(core::Fields& f) {
  f.field("rank",
          rank,
          {.help = "how ranks are chosen: by energy, by a budget of the whole model, or by "
                   "variational Bayesian matrix factorisation",
           .choices = {"energy", "macs", "parameters", "vbmf"}});
  f.field("energy",
          energy,
          {.help = "rank energy: share of the squared singular values that is kept",
           .min = 1e-6,
           .max = 1});
  f.field("ratio",
          ratio,
          {.help = "rank macs, parameters: of the model after / before, at most",
           .min = 0.001,
           .max = 1});
  f.field("linear", linear, {.help = "how linear layers are factored", .choices = {"svd", "none"}});
  f.field(
      "conv", conv, {.help = "how convolutions are factored", .choices = {"tucker", "cp", "none"}});
  f.field("round_to",
          round_to,
          {.help = "ranks are multiples of this, where they have room", .min = 1, .max = 1024});
  f.field("layers", layers, {.help = "names of nodes; * and ? stand for others"});
  f.field("exclude", exclude, {.help = "names of nodes that stay whole"});
  f.field("max_iterations", max_iterations, {.help = "of HOOI and ALS", .min = 1, .max = 1e6});
}

namespace {

[[noreturn]] void refuse_factoring(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "low_rank: " + message);
}

/// Ranks of the layers that become smaller by them.
using RankPlan = std::vector<std::optional<Ranks>>;

class RankChooser {
 public:
  RankChooser(const graph::Model& model,
              const std::vector<FactorCandidate>& layers,
              const LowRankOptions& options)
      : layers_(layers), options_(options), before_(graph::cost(model)) {}

  RankPlan choose() const {
    if (options_.rank == "vbmf") {
      return plan_with(
          [&](const FactorCandidate& layer) { return ranks_of_vbmf(layer, options_.round_to); });
    }
    return options_.rank == "energy" ? plan_of(options_.energy) : plan_in_budget();
  }

 private:
  template <class RanksOf>
  RankPlan plan_with(const RanksOf& ranks_of) const {
    RankPlan plan;
    for (const FactorCandidate& layer : layers_) {
      plan.emplace_back();
      if (layer.method != Method::Keep) {
        const Ranks ranks = ranks_of(layer);
        if (shrinks(layer, ranks)) {
          plan.back() = ranks;
        }
      }
    }
    return plan;
  }

  RankPlan plan_of(double energy) const {
    return plan_with([&](const FactorCandidate& layer) {
      return ranks_of_energy(layer, energy, options_.round_to);
    });
  }

  /// Of the whole model after / before.
  double share_left(const RankPlan& plan) const {
    const bool by_macs = options_.rank == "macs";
    const int64_t before = by_macs ? before_.macs : before_.parameters;
    int64_t after = before;
    for (size_t i = 0; i < plan.size(); ++i) {
      if (plan[i]) {
        const LayerCost whole = whole_cost(layers_[i]);
        const LayerCost parts = parts_cost(layers_[i], *plan[i]);
        after += by_macs ? parts.macs - whole.macs : parts.parameters - whole.parameters;
      }
    }
    return static_cast<double>(after) / static_cast<double>(before);
  }

  RankPlan plan_in_budget() const {
    const double least = share_left(plan_of(0));
    if (least > options_.ratio) {
      refuse_factoring(
          fmt::format("a {} ratio of {} cannot be reached: with rank {} everywhere {:.4f} is left",
                      options_.rank,
                      options_.ratio,
                      options_.round_to,
                      least));
    }
    double low = 0;
    double high = 1;
    for (int i = 0; i < 50; ++i) {
      const double middle = (low + high) / 2;
      (share_left(plan_of(middle)) <= options_.ratio ? low : high) = middle;
    }
    return plan_of(low);
  }

  const std::vector<FactorCandidate>& layers_;
  const LowRankOptions& options_;
  graph::Cost before_;
};

/// Replaces the layer and returns the norm of what its weight lost.
double replace_layer(graph::Model& model,
                     const FactorCandidate& layer,
                     const Ranks& ranks,
                     int64_t max_iterations) {
  const Matrix& weight = layer.kernel.by_out;
  switch (layer.method) {
    case Method::Svd: {
      const SvdFactors factors = factor_svd(weight, ranks.out);
      replace_by_svd(model, layer.node, factors);
      return (weight - factors.left * factors.right).norm();
    }
    case Method::Tucker: {
      const auto factors = factor_tucker(layer.kernel, ranks.out, ranks.in, max_iterations);
      replace_by_tucker(model, layer.node, factors);
      return (weight - factors.by_out()).norm();
    }
    case Method::Cp: {
      const CpFactors factors = factor_cp(layer.kernel, ranks.out, max_iterations);
      replace_by_cp(model, layer.node, factors);
      return (weight - factors.by_out()).norm();
    }
    case Method::Keep:
      break;
  }
  return 0;  // a layer that stays loses nothing
}

std::string_view word_for(Method method) {
  switch (method) {
    case Method::Svd:
      return "svd";
    case Method::Tucker:
      return "tucker";
    case Method::Cp:
      return "cp";
    case Method::Keep:
      break;
  }
  return "";
}

[[noreturn]] void refuse_unshrunk(const LowRankReport& report) {
  std::string reasons;
  for (const auto& row : report.rows) {
    reasons += fmt::format("; '{}' {}", row.node, row.reason);
  }
  refuse_factoring("no layer would shrink" +
                   (reasons.empty() ? "; every layer is excluded" : reasons));
}

}  // namespace

graph::Model factorise(const graph::Model& model,
                       const LowRankOptions& options,
                       LowRankReport* report) {
  graph::Model result = model;
  graph::infer_shapes(result);
  const std::vector<FactorCandidate> layers = find_candidates(result, options);
  const RankPlan plan = RankChooser(result, layers, options).choose();
  LowRankReport rows;
  bool any = false;
  for (size_t i = 0; i < layers.size(); ++i) {
    const FactorCandidate& layer = layers[i];
    LowRankReport::Row row{.node = layer.node, .reason = layer.reason};
    const LayerCost whole = whole_cost(layer);
    row.parameters_before = row.parameters = whole.parameters;
    row.macs_before = row.macs = whole.macs;
    if (plan[i]) {
      const LayerCost parts = parts_cost(layer, *plan[i]);
      const double lost = replace_layer(result, layer, *plan[i], options.max_iterations);
      const double norm = layer.kernel.norm();
      row.method = word_for(layer.method);
      row.rank_out = plan[i]->out;
      row.rank_in = plan[i]->in;
      row.parameters = parts.parameters;
      row.macs = parts.macs;
      row.error = norm > 0 ? lost / norm : 0;
      any = true;
    } else if (row.reason.empty()) {
      row.reason = "would not shrink: its rank is too high";
    }
    rows.rows.push_back(std::move(row));
  }
  if (!any) {
    refuse_unshrunk(rows);
  }
  graph::verify(result);
  if (report != nullptr) {
    *report = std::move(rows);
  }
  return result;
}

}  // namespace coppice::compress
