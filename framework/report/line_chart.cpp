#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/chart.h"
#include "report/frame.h"

namespace coppice::report {

namespace {

constexpr size_t kMostDots = 40;      // a series of more points is drawn without dots
constexpr size_t kDense = 400;        // points from which a thinner line shows more
constexpr size_t kMostPoints = 1500;  // more than a screen can show: thinned
constexpr double kBandLabelShare =
    0.1;  // of the height, kept free of lines where bands have labels

struct Point {
  double x = 0;
  double y = 0;
};

/// Stretches of points without a gap.
std::vector<std::vector<Point>> runs_of(const Series& series) {
  std::vector<std::vector<Point>> runs(1);
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (std::isfinite(series.x[i]) && std::isfinite(series.y[i])) {
      runs.back().push_back({series.x[i], series.y[i]});
    } else if (!runs.back().empty()) {
      runs.emplace_back();
    }
  }
  if (runs.back().empty()) {
    runs.pop_back();
  }
  return runs;
}

/// Keeps the least and the greatest of each bucket, so that no spike gets lost.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= kMostPoints) {
    return points;
  }
  const size_t bucket = (2 * points.size() + kMostPoints - 1) / kMostPoints;
  std::vector<Point> kept;
  for (size_t start = 0; start < points.size(); start += bucket) {
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(start);
    const auto last =
        points.begin() + static_cast<std::ptrdiff_t>(std::min(start + bucket, points.size()));
    auto [low, high] =
        std::minmax_element(first, last, [](const Point& a, const Point& b) { return a.y < b.y; });
    if (high < low) {
      std::swap(low, high);
    }
    kept.push_back(*low);
    if (high != low) {
      kept.push_back(*high);
    }
  }
  return kept;
}

void draw(Frame& frame, const Series& series, std::string_view colour) {
  const auto runs = runs_of(series);
  size_t points = 0;
  for (const auto& run : runs) {
    points += run.size();
    std::string data;
    for (const Point& point : thinned(run)) {
      data += fmt::format(
          "{}{} {}", data.empty() ? "M" : "L", px(frame.x(point.x)), px(frame.y(point.y)));
    }
    const double width = series.faint || run.size() > kDense ? 1.2 : 2;
    frame.svg().path(data, colour, width, series.dashed ? "6 4" : "", series.faint ? 0.35 : 1);
  }
  if (series.faint) {
    return;
  }
  for (const auto& run : runs) {
    for (const Point& point : run) {
      if (points <= kMostDots || run.size() == 1) {  // a lone point has no line that would show it
        frame.svg().circle(frame.x(point.x),
                           frame.y(point.y),
                           points <= kMostDots ? 3.2 : 1.6,
                           colour,
                           fmt::format("{}: {:.6g} at {:.6g}", series.name, point.y, point.x));
      }
    }
  }
}

std::string_view colour_of(const std::vector<Series>& series, size_t i) {
  return series_colour(series[i].colour < 0 ? i : static_cast<size_t>(series[i].colour));
}

bool all_whole(const std::vector<Series>& series) {
  return std::all_of(series.begin(), series.end(), [](const Series& one) {
    return std::all_of(one.x.begin(), one.x.end(), [](double x) { return x == std::floor(x); });
  });
}

}  // namespace

std::string line_chart(const std::vector<Series>& series, const ChartOptions& options) {
  check_series(series, options.title);
  Frame::Setup setup;
  setup.x = range_of(series, &Series::x);
  setup.y = range_of(series, &Series::y);
  for (const Band& band : options.bands) {
    setup.x = {std::min(setup.x.low, band.from), std::max(setup.x.high, band.to)};
  }
  if (options.y_from_zero) {
    setup.y = {std::min(0.0, setup.y.low), std::max(0.0, setup.y.high)};
  }
  if (!options.bands.empty()) {
    setup.y.high += kBandLabelShare * (setup.y.high - setup.y.low);
  }
  setup.whole_x = all_whole(series);
  bool empty = true;
  for (size_t i = 0; i < series.size(); ++i) {
    if (!series[i].faint) {
      setup.legend.push_back(
          {series[i].name,
           colour_of(series, i),
           series[i].dashed ? LegendEntry::Mark::Dashes : LegendEntry::Mark::Line});
    }
    empty = empty && runs_of(series[i]).empty();
  }
  Frame frame(options, std::move(setup));
  for (size_t i = 0; i < series.size(); ++i) {
    draw(frame, series[i], colour_of(series, i));
  }
  if (empty) {
    frame.say_empty();
  }
  return frame.finish();
}

}  // namespace coppice::report
