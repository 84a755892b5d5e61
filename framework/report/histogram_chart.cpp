#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "report/chart.h"
#include "report/frame.h"

namespace coppice::report {

namespace {

Range values_range(const std::vector<Series>& series, double limit) {
  Range range = range_of(series, &Series::y);
  range.high = std::min(range.high, std::max(limit, range.low));
  if (!(range.low < range.high)) {
    const double pad = std::max(0.5, 0.05 * std::abs(range.low));
    range = {range.low - pad, range.high + pad};
  }
  return range;
}

/// Shares in per cent.
std::vector<double> shares_of(const std::vector<double>& values, const Range& range, size_t bins) {
  std::vector<double> shares(bins, 0);
  double total = 0;
  for (const double value : values) {
    if (std::isfinite(value)) {
      const double at = (value - range.low) / (range.high - range.low) * static_cast<double>(bins);
      const double last = static_cast<double>(bins) - 1;
      shares[static_cast<size_t>(std::clamp(std::floor(at), 0.0, last))] += 1;
      total += 1;
    }
  }
  for (double& share : shares) {
    share *= total > 0 ? 100 / total : 0;
  }
  return shares;
}

}  // namespace

std::string histogram_chart(const std::vector<Series>& series,
                            const ChartOptions& options,
                            int bins) {
  if (bins < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("chart '{}': {} bins; pass at least 1", options.title, bins));
  }
  const auto count = static_cast<size_t>(bins);
  Frame::Setup setup;
  setup.x = values_range(series, options.x_limit);
  const Range range = setup.x;
  std::vector<std::vector<double>> heights;
  double highest = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    heights.push_back(shares_of(series[i].y, range, count));
    highest = std::max(highest, *std::max_element(heights.back().begin(), heights.back().end()));
    setup.legend.push_back({series[i].name, series_colour(i), LegendEntry::Mark::Square});
  }
  setup.y = {0, highest > 0 ? highest : 1};
  Frame frame(options, std::move(setup));
  const double step = (range.high - range.low) / static_cast<double>(count);
  for (size_t i = 0; i < series.size(); ++i) {
    std::string outline;
    for (size_t bin = 0; bin < count; ++bin) {
      const double from = range.low + step * static_cast<double>(bin);
      const double left = frame.x(from);
      const double right = frame.x(from + step);
      const double top = frame.y(heights[i][bin]);
      outline += fmt::format(
          "{}{} {}L{} {}", outline.empty() ? "M" : "L", px(left), px(top), px(right), px(top));
      if (heights[i][bin] > 0) {
        frame.svg().rectangle(left,
                              top,
                              right - left,
                              frame.y(0) - top,
                              series_colour(i),
                              fmt::format("{}: {:.3g} % from {:.4g} to {:.4g}",
                                          series[i].name,
                                          heights[i][bin],
                                          from,
                                          from + step),
                              0.3);
      }
    }
    frame.svg().path(outline, series_colour(i), 1.5);
  }
  if (highest == 0) {
    frame.say_empty();
  }
  return frame.finish();
}

}  // namespace coppice::report
