#include "compress/weight_sharing.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compress/layer_weights.h"
#include "core/error.h"

namespace coppice::compress {

void LayerBits::visit(core::Fields& f) {
  f.field("nodes",
          nodes,
          {.help = "name of a layer's node; * and ? stand for others", .required = true});
  f.field("bits", bits, {.help = "2^bits values of each one's weights", .min = 1, .max = 12});
}

void ShareOptions::visit(core::Fields& f) {
  f.field("conv_bits",
          conv_bits,
          {.help = "2^bits values of each convolution's weights", .min = 1, .max = 12});
  f.field("linear_bits",
          linear_bits,
          {.help = "2^bits values of each other layer's weights", .min = 1, .max = 12});
  f.list("layers", layers, "layers with bits of their own");
  f.field("exclude", exclude, {.help = "layers that stay as they are; * and ? stand for others"});
  f.field("max_iterations", max_iterations, {.help = "of k-means", .min = 1, .max = 1e6});
}

namespace {

size_t nearest(const std::vector<double>& centres, double value) {
  const auto above = std::lower_bound(centres.begin(), centres.end(), value);
  if (above == centres.begin()) {
    return 0;
  }
  const auto below = std::prev(above);
  const bool up = above != centres.end() && *above - value < value - *below;
  return static_cast<size_t>((up ? above : below) - centres.begin());
}

std::vector<float> sorted_without_zeros(std::span<const float> values) {
  std::vector<float> kept(values.begin(), values.end());
  std::erase(kept, 0.0F);
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// What the report says of a layer's values as they are.
void count_values(std::span<const float> values, ShareReport::Row& row) {
  std::vector<float> kept = sorted_without_zeros(values);
  row.values = std::ssize(values);
  row.zeros = row.values - std::ssize(kept);
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  row.shared = std::ssize(kept);
}

/// Moves every weight but zeros to the nearest centre; the root mean square of the way.
double move_to_centres(std::span<float> values, const std::vector<double>& centres) {
  double squares = 0;
  int64_t moved = 0;
  for (float& value : values) {
    if (value != 0) {
      const auto centre = static_cast<float>(centres[nearest(centres, value)]);
      const double way = static_cast<double>(value) - static_cast<double>(centre);
      squares += way * way;
      ++moved;
      value = centre;
    }
  }
  return std::sqrt(squares / static_cast<double>(moved));
}

}  // namespace

std::vector<double> cluster(std::span<const float> values, int64_t count, int64_t max_iterations) {
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  std::vector<double> centres;
  for (int64_t k = 0; k < count; ++k) {
    const double share = count == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(count - 1);
    centres.push_back(*lowest + share * (static_cast<double>(*highest) - *lowest));
  }
  centres.erase(std::unique(centres.begin(), centres.end()), centres.end());
  for (int64_t iteration = 0; iteration < max_iterations; ++iteration) {
    std::vector<double> sums(centres.size(), 0);
    std::vector<int64_t> members(centres.size(), 0);
    for (const float value : values) {
      const size_t k = nearest(centres, value);
      sums[k] += value;
      ++members[k];
    }
    std::vector<double> moved;
    for (size_t k = 0; k < centres.size(); ++k) {
      if (members[k] > 0) {
        moved.push_back(sums[k] / static_cast<double>(members[k]));
      }
    }
    if (moved == centres) {
      break;
    }
    centres = std::move(moved);
  }
  return centres;
}

graph::Model share_weights(const graph::Model& model,
                           const ShareOptions& options,
                           ShareReport* report) {
  const std::vector<LayerWeight> layers = layer_weights(model, "share");
  const std::vector<int> excluded = match_layers(layers, options.exclude, "share.exclude");
  std::vector<std::string> named;
  for (const LayerBits& own : options.layers) {
    named.push_back(own.nodes);
  }
  const std::vector<int> own = match_layers(layers, named, "share.layers");
  graph::Model result = model;
  std::vector<ShareReport::Row> rows;
  bool any = false;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (excluded[i] >= 0) {
      continue;
    }
    check_finite(model, layers[i], "share");
    const auto values = model.weight(layers[i].weight).data<float>();
    const int64_t bits = own[i] >= 0         ? options.layers[static_cast<size_t>(own[i])].bits
                         : layers[i].spatial ? options.conv_bits
                                             : options.linear_bits;
    const int64_t most = int64_t{1} << bits;
    ShareReport::Row row{.node = layers[i].node, .weight = layers[i].weight};
    count_values(values, row);
    if (row.shared > most) {
      const std::vector<double> centres =
          cluster(sorted_without_zeros(values), most, options.max_iterations);
      graph::Tensor& weight = result.weights.at(layers[i].weight);
      weight = weight.clone();
      row.rms_error = move_to_centres(weight.data<float>(), centres);
      count_values(weight.data<float>(), row);
      any = true;
    }
    rows.push_back(row);
  }
  if (!any) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "share: every layer has as few values already, or is excluded");
  }
  if (report != nullptr) {
    report->rows = std::move(rows);
  }
  return result;
}

}  // namespace coppice::compress
