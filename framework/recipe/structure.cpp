#include "recipe/structure.h"

#include <algorithm>
#include <cmath>

namespace coppice::recipe {

void LayerSparsity::visit(core::Fields& f) {
  f.field("nodes",
          nodes,
          {.help = "name of a layer's node; * and ? stand for others", .required = true});
  f.field("share",
          share,
          {.help = "of each one's weights, zero in the end", .min = 0, .max = 1, .required = true});
}

void SparsityOptions::visit(core::Fields& f) {
  f.field("share", share, {.help = "of the weights, zero in the end; 0: off", .min = 0, .max = 1});
  f.field("initial_share",
          initial_share,
          {.help = "of the weights, zero at the first cut", .min = 0, .max = 1});
  f.field("begin", begin, {.help = "of the cuts, as a share of the run", .min = 0, .max = 1});
  f.field("end", end, {.help = "of the cuts, as a share of the run", .min = 0, .max = 1});
  f.field("every_steps", every_steps, {.help = "steps between two cuts", .min = 1, .max = 1e9});
  f.field(
      "scope",
      scope,
      {.help = "the smallest of all layers together, or of each", .choices = {"global", "layer"}});
  f.field("max_share_per_layer",
          max_share_per_layer,
          {.help = "scope global: largest share of one layer that may go", .min = 0, .max = 1});
  f.list("layers", layers, "layers with a final share of their own");
  f.field("exclude", exclude, {.help = "layers that are not cut; * and ? stand for others"});
}

namespace {

struct Span {
  int64_t first = 0;
  int64_t last = 0;
};

/// Steps done at the first and the last cut.
Span cuts_of(const SparsityOptions& options, int64_t total) {
  const auto at = [&](double share) {
    return std::max<int64_t>(1, std::llround(share * static_cast<double>(total)));
  };
  return {at(options.begin), std::max(at(options.begin), at(options.end))};
}

}  // namespace

double sparsity_after(const SparsityOptions& options,
                      double final_share,
                      int64_t steps,
                      int64_t total) {
  const Span cuts = cuts_of(options, total);
  const auto length = static_cast<double>(cuts.last - cuts.first);
  const double passed = steps >= cuts.last    ? 1
                        : steps <= cuts.first ? 0
                                              : static_cast<double>(steps - cuts.first) / length;
  const double from = std::min(options.initial_share, final_share);
  return final_share + (from - final_share) * std::pow(1 - passed, 3);
}

bool cuts_after(const SparsityOptions& options, int64_t steps, int64_t total) {
  const Span cuts = cuts_of(options, total);
  return steps == cuts.last || (steps >= cuts.first && steps < cuts.last &&
                                (steps - cuts.first) % options.every_steps == 0);
}

}  // namespace coppice::recipe
