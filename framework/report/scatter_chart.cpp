#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "report/chart.h"
#include "report/frame.h"

namespace coppice::report {

namespace {

constexpr double kPad = 0.04;   // of the span, so that no dot is cut by the edge
constexpr size_t kCrowd = 300;  // points from which smaller dots show more

std::vector<Series> with_logarithms(std::vector<Series> series) {
  for (Series& one : series) {
    for (double& x : one.x) {
      x = x > 0 ? std::log10(x) : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return series;
}

/// Names of points, up and left of them; where that is outside of the plot, up and right.
void draw_labels(Frame& frame, const Series& series, double left_edge) {
  constexpr double kSize = 11;
  for (size_t i = 0; i < std::min(series.labels.size(), series.x.size()); ++i) {
    if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) {
      continue;
    }
    const double x = frame.x(series.x[i]);
    const bool fits = x - 7 - text_width(series.labels[i], kSize) > frame.x(left_edge);
    frame.svg().text(fits ? x - 7 : x + 7,
                     frame.y(series.y[i]) - 6,
                     series.labels[i],
                     {.size = kSize,
                      .colour = kSoftText,
                      .anchor = fits ? Anchor::End : Anchor::Start,
                      .halo = "#fff"});
  }
}

}  // namespace

std::string scatter_chart(const std::vector<Series>& given, const ChartOptions& options) {
  check_series(given, options.title);
  const std::vector<Series> series = options.x_log ? with_logarithms(given) : given;
  Frame::Setup setup;
  setup.log_x = options.x_log;
  setup.x = range_of(series, &Series::x);
  setup.y = range_of(series, &Series::y);
  if (options.diagonal) {
    setup.x = setup.y = {std::min(setup.x.low, setup.y.low), std::max(setup.x.high, setup.y.high)};
  }
  const double pad_x = kPad * (setup.x.high - setup.x.low);
  const double pad_y = kPad * (setup.y.high - setup.y.low);
  setup.x = {setup.x.low - pad_x, setup.x.high + pad_x};
  setup.y = {setup.y.low - pad_y, setup.y.high + pad_y};
  if (options.y_from_zero) {
    setup.y = {std::min(0.0, setup.y.low + pad_y), std::max(0.0, setup.y.high)};
  }
  for (size_t i = 0; i < series.size(); ++i) {
    setup.legend.push_back({series[i].name, series_colour(i), LegendEntry::Mark::Dot});
  }
  const Range span = setup.x;
  Frame frame(options, std::move(setup));
  if (options.diagonal) {
    frame.svg().line(frame.x(span.low),
                     frame.y(span.low),
                     frame.x(span.high),
                     frame.y(span.high),
                     kSoftText,
                     1.2,
                     "5 4");
  }
  size_t points = 0;
  for (const Series& one : series) {
    points += one.x.size();
  }
  const bool crowded = points > kCrowd;
  bool empty = true;
  for (size_t i = 0; i < series.size(); ++i) {
    for (size_t j = 1; series[i].joined && j < series[i].x.size(); ++j) {
      if (!std::isfinite(series[i].x[j - 1] + series[i].x[j])) {
        continue;
      }
      frame.svg().line(frame.x(series[i].x[j - 1]),
                       frame.y(series[i].y[j - 1]),
                       frame.x(series[i].x[j]),
                       frame.y(series[i].y[j]),
                       series_colour(i),
                       1.5);
    }
    for (size_t j = 0; j < series[i].x.size(); ++j) {
      const double x = series[i].x[j];
      const double y = series[i].y[j];
      if (std::isfinite(x) && std::isfinite(y)) {
        empty = false;
        frame.svg().circle(frame.x(x),
                           frame.y(y),
                           crowded ? 2.2 : 4.2,
                           series_colour(i),
                           fmt::format("{}: ({:.6g}, {:.6g})", series[i].name, given[i].x[j], y),
                           crowded ? 0.45 : 0.75);
      }
    }
  }
  for (const Series& one : series) {
    draw_labels(frame, one, span.low);
  }
  if (empty) {
    frame.say_empty();
  }
  return frame.finish();
}

}  // namespace coppice::report
