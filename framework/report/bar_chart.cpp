#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "report/chart.h"
#include "report/frame.h"

namespace coppice::report {

namespace {

void check(const std::vector<std::string>& categories,
           const std::vector<Series>& stacked,
           const std::string& title) {
  for (const Series& series : stacked) {
    if (series.y.size() != categories.size()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("chart '{}': series '{}' has {} values for {} categories",
                                    title,
                                    series.name,
                                    series.y.size(),
                                    categories.size()));
    }
  }
}

/// Positive values are stacked upwards, negative ones downwards.
Range stacked_range(size_t categories, const std::vector<Series>& stacked) {
  Range range = {0, 0};
  for (size_t i = 0; i < categories; ++i) {
    double up = 0;
    double down = 0;
    for (const Series& series : stacked) {
      const double value = std::isfinite(series.y[i]) ? series.y[i] : 0;
      (value > 0 ? up : down) += value;
    }
    range = {std::min(range.low, down), std::max(range.high, up)};
  }
  return range.low < range.high ? range : Range{};
}

void draw_stack(Frame& frame,
                size_t category,
                const std::string& name,
                const std::vector<Series>& stacked,
                double half_width) {
  double up = 0;
  double down = 0;
  const double left = frame.x(static_cast<double>(category) - half_width);
  const double right = frame.x(static_cast<double>(category) + half_width);
  for (size_t i = 0; i < stacked.size(); ++i) {
    const double value = stacked[i].y[category];
    if (!std::isfinite(value) || value == 0) {
      continue;
    }
    double& base = value > 0 ? up : down;
    const double from = frame.y(std::max(base, base + value));
    const double to = frame.y(std::min(base, base + value));
    frame.svg().rectangle(left,
                          from,
                          right - left,
                          to - from,
                          series_colour(i),
                          fmt::format("{}, {}: {:.6g}", name, stacked[i].name, value));
    base += value;
  }
}

}  // namespace

std::string bar_chart(const std::vector<std::string>& categories,
                      const std::vector<Series>& stacked,
                      const ChartOptions& options) {
  check(categories, stacked, options.title);
  Frame::Setup setup;
  setup.x = {-0.5, std::max(0.5, static_cast<double>(categories.size()) - 0.5)};
  setup.y = stacked_range(categories.size(), stacked);
  if (!options.bands.empty()) {
    setup.y.high *= 1.1;  // the names of the bands stand above the bars
  }
  setup.categories = categories;
  for (size_t i = 0; i < stacked.size(); ++i) {
    setup.legend.push_back({stacked[i].name, series_colour(i), LegendEntry::Mark::Square});
  }
  Frame frame(options, std::move(setup));
  for (size_t i = 0; i < categories.size(); ++i) {
    draw_stack(frame, i, categories[i], stacked, 0.36);
  }
  if (categories.empty() || stacked.empty()) {
    frame.say_empty();
  }
  return frame.finish();
}

}  // namespace coppice::report
