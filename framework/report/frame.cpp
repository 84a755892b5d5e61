#include "report/frame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "report/ticks.h"

namespace coppice::report {

namespace {

constexpr std::string_view kGrid = "#e6e8eb";
constexpr std::string_view kAxis = "#8a9099";
constexpr std::string_view kText = "#333";
constexpr double kTickSize = 11;
constexpr double kLabelSize = 12;
constexpr double kRow = 18;  // height of a row of legend entries
constexpr double kMarkerRow = 14;
constexpr int kMarkerRows = 3;
constexpr double kBandHeight = 18;  // at the top of the plot, for the names of bands

// Okabe and Ito's, the ones with contrast on white first.
constexpr std::array<std::string_view, 8> kColours = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#b8a800"};
constexpr std::array<std::string_view, 6> kTints = {
    "#f4f6f8", "#fdf0e3", "#e8f3fb", "#e9f6f1", "#f9edf4", "#f8f6df"};

double mark_width(const LegendEntry& entry) {
  return entry.mark == LegendEntry::Mark::Square || entry.mark == LegendEntry::Mark::Dot ? 12 : 24;
}

}  // namespace

std::string_view series_colour(size_t i) {
  return kColours[i % kColours.size()];
}

Range range_of(const std::vector<Series>& series, std::vector<double> Series::*values) {
  Range range = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const Series& one : series) {
    for (const double value : one.*values) {
      if (std::isfinite(value)) {
        range.low = std::min(range.low, value);
        range.high = std::max(range.high, value);
      }
    }
  }
  return range.low <= range.high ? range : Range{};
}

void check_series(const std::vector<Series>& series, std::string_view chart) {
  for (const Series& one : series) {
    if (one.x.size() != one.y.size()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("chart '{}': series '{}' has {} x and {} y values",
                                    chart,
                                    one.name,
                                    one.x.size(),
                                    one.y.size()));
    }
  }
}

Frame::Frame(const ChartOptions& options, Setup setup)
    : options_(options),
      setup_(std::move(setup)),
      svg_(options.width, options.height, options.title) {
  if (!(setup_.x.low < setup_.x.high)) {
    const double pad = std::max(0.5, 0.05 * std::abs(setup_.x.low));
    setup_.x = {setup_.x.low - pad, setup_.x.high + pad};
  }
  lay_out();
  draw_bands();
  draw_y_axis();
  if (setup_.categories.empty()) {
    draw_x_axis();
  } else {
    draw_categories();
  }
  draw_legend();
}

double Frame::x(double value) const {
  return left_ + (value - setup_.x.low) / (setup_.x.high - setup_.x.low) * (right_ - left_);
}

double Frame::y(double value) const {
  return bottom_ - (value - setup_.y.low) / (setup_.y.high - setup_.y.low) * (bottom_ - top_);
}

void Frame::lay_out() {
  Ticks ticks = nice_ticks(setup_.y.low, setup_.y.high, 5);
  setup_.y = {std::floor(setup_.y.low / ticks.step + 1e-9) * ticks.step,
              std::ceil(setup_.y.high / ticks.step - 1e-9) * ticks.step};
  if (!(setup_.y.low < setup_.y.high)) {
    setup_.y = {setup_.y.low - ticks.step, setup_.y.high + ticks.step};
  }
  ticks = nice_ticks(setup_.y.low, setup_.y.high, 5);
  y_ticks_ = ticks.values;
  y_step_ = ticks.step;

  double widest = 0;
  for (const double value : y_ticks_) {
    widest = std::max(widest, text_width(format_tick(value, y_step_), kTickSize));
  }
  left_ = 14 + widest + (options_.y_label.empty() ? 0 : 20);
  right_ = options_.width - 18;

  legend_top_ = options_.title.empty() ? 10 : 34;
  double at = left_;
  int row = 0;
  for (const LegendEntry& entry : setup_.legend) {
    const double width = mark_width(entry) + 6 + text_width(entry.name, kLabelSize) + 18;
    if (at > left_ && at + width > right_) {
      at = left_;
      ++row;
    }
    legend_places_.push_back({at, row, entry.name});
    at += width;
  }
  top_ = legend_top_ + (setup_.legend.empty() ? 0 : (row + 1) * kRow) + 8;

  // Markers from left to right, each in the lowest row where it does not touch its neighbour.
  std::stable_sort(options_.markers.begin(),
                   options_.markers.end(),
                   [](const Marker& a, const Marker& b) { return a.x < b.x; });
  std::array<double, kMarkerRows> ends;
  ends.fill(-std::numeric_limits<double>::infinity());
  int rows = 0;
  for (const Marker& marker : options_.markers) {
    const double width = text_width(marker.label, kTickSize);
    const double centre = std::clamp(x(marker.x), 4 + width / 2, options_.width - 4 - width / 2);
    Placed placed = {centre, -1, marker.label};
    for (int i = 0; i < kMarkerRows && placed.row < 0 && inside(marker.x); ++i) {
      if (centre - width / 2 > ends[static_cast<size_t>(i)] + 6) {
        ends[static_cast<size_t>(i)] = centre + width / 2;
        placed.row = i;
        rows = std::max(rows, i + 1);
      }
    }
    marker_places_.push_back(placed);
  }
  top_ += rows * kMarkerRow + (rows > 0 ? 4 : 0);

  double below = 24;
  if (!setup_.categories.empty()) {
    const double room = (right_ - left_) / static_cast<double>(setup_.categories.size());
    double longest = 0;
    for (const std::string& name : setup_.categories) {
      longest = std::max(longest, text_width(name, kTickSize));
    }
    if (longest > room - 6 && longest > 30) {
      category_angle_ = -40;
      below = 16 + 0.65 * std::min(longest, 120.0);
    }
  }
  bottom_ = options_.height - below - (options_.x_label.empty() ? 4 : 20);
}

void Frame::draw_legend() {
  if (!options_.title.empty()) {
    svg_.text(left_,
              22,
              fit_text(options_.title, 16, right_ - left_),
              {.size = 15, .colour = "#1d2126", .bold = true});
  }
  for (size_t i = 0; i < setup_.legend.size(); ++i) {
    const LegendEntry& entry = setup_.legend[i];
    const double at = legend_places_[i].x;
    const double middle = legend_top_ + legend_places_[i].row * kRow + 7;
    switch (entry.mark) {
      case LegendEntry::Mark::Square:
        svg_.rectangle(at, middle - 6, 12, 12, entry.colour);
        break;
      case LegendEntry::Mark::Dot:
        svg_.circle(at + 6, middle, 4.5, entry.colour);
        break;
      default:
        svg_.line(at,
                  middle,
                  at + 24,
                  middle,
                  entry.colour,
                  2.5,
                  entry.mark == LegendEntry::Mark::Dashes ? "6 4" : "");
    }
    svg_.text(at + mark_width(entry) + 6,
              middle + 4,
              fit_text(entry.name, kLabelSize, right_ - at - mark_width(entry)),
              {.size = kLabelSize, .colour = kText});
  }
}

void Frame::draw_bands() {
  std::map<std::string, std::string_view> tints;
  for (const Band& band : options_.bands) {
    const auto tint = tints.emplace(band.label, kTints[tints.size() % kTints.size()]).first->second;
    const double from = x(std::max(band.from, setup_.x.low));
    const double to = x(std::min(band.to, setup_.x.high));
    if (to <= from) {
      continue;
    }
    svg_.rectangle(from, top_, to - from, bottom_ - top_, tint, band.label);
    band_places_.push_back({(from + to) / 2, fit_text(band.label, kTickSize, to - from - 8), tint});
  }
}

void Frame::draw_band_names() {
  for (const BandName& name : band_places_) {
    svg_.text(
        name.x,
        top_ + 13,
        name.text,
        {.size = kTickSize, .colour = kSoftText, .anchor = Anchor::Middle, .halo = name.tint});
  }
}

void Frame::draw_y_axis() {
  for (const double value : y_ticks_) {
    const double at = y(value);
    svg_.line(left_, at, right_, at, value == 0 && setup_.y.low < 0 ? kAxis : kGrid, 1);
    svg_.text(left_ - 8,
              at + 4,
              format_tick(value, y_step_),
              {.size = kTickSize, .colour = kSoftText, .anchor = Anchor::End});
  }
  if (!options_.y_label.empty()) {
    svg_.text(16,
              (top_ + bottom_) / 2,
              fit_text(options_.y_label, kLabelSize, bottom_ - top_ + 40),
              {.size = kLabelSize, .colour = kText, .anchor = Anchor::Middle, .rotate = -90});
  }
  if (!options_.x_label.empty()) {
    svg_.text((left_ + right_) / 2,
              options_.height - 10,
              fit_text(options_.x_label, kLabelSize, right_ - left_),
              {.size = kLabelSize, .colour = kText, .anchor = Anchor::Middle});
  }
}

void Frame::draw_x_axis() {
  svg_.line(left_, bottom_, right_, bottom_, kAxis, 1);
  const int wanted = std::max(2, static_cast<int>((right_ - left_) / 55));
  const Ticks ticks = setup_.log_x
                          ? log_ticks(setup_.x.low, setup_.x.high)
                          : nice_ticks(setup_.x.low, setup_.x.high, wanted, setup_.whole_x);
  double end = -std::numeric_limits<double>::infinity();
  for (const double value : ticks.values) {
    const double at = x(setup_.log_x ? std::log10(value) : value);
    const std::string text =
        setup_.log_x ? format_tick(value, std::min(value, 1.0)) : format_tick(value, ticks.step);
    const double width = text_width(text, kTickSize);
    svg_.line(at, bottom_, at, bottom_ + 4, kAxis, 1);
    if (at - width / 2 > end + 6) {
      svg_.text(at,
                bottom_ + 17,
                text,
                {.size = kTickSize, .colour = kSoftText, .anchor = Anchor::Middle});
      end = at + width / 2;
    }
  }
}

void Frame::draw_categories() {
  svg_.line(left_, bottom_, right_, bottom_, kAxis, 1);
  const size_t count = setup_.categories.size();
  const double room = (right_ - left_) / static_cast<double>(count);
  const double needed = category_angle_ != 0 ? 15 : 6;
  double end = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < count; ++i) {
    const double at = x(static_cast<double>(i));
    const bool turned = category_angle_ != 0;
    const std::string name =
        fit_text(setup_.categories[i], kTickSize, turned ? 120 : std::max(room, 30.0));
    const double half = turned ? needed / 2 : text_width(name, kTickSize) / 2;
    if (at - half <= end + (turned ? 0 : needed)) {
      continue;
    }
    end = at + half;
    svg_.text(turned ? at + 4 : at,
              bottom_ + (turned ? 14 : 17),
              name,
              {.size = kTickSize,
               .colour = kSoftText,
               .anchor = turned ? Anchor::End : Anchor::Middle,
               .rotate = category_angle_});
  }
}

void Frame::draw_markers() {
  const auto label_bottom = [&](const Placed& placed) {
    return top_ - 5 - std::max(placed.row, 0) * kMarkerRow;
  };
  for (size_t i = 0; i < options_.markers.size(); ++i) {
    if (inside(options_.markers[i].x)) {
      const double at = x(options_.markers[i].x);
      const Placed& placed = marker_places_[i];
      const double from = placed.row < 0 ? top_ : label_bottom(placed) + 2;
      svg_.line(at, from, at, bottom_, kSoftText, 1, "3 3");
    }
  }
  for (const Placed& placed : marker_places_) {
    if (placed.row >= 0) {
      svg_.text(placed.x,
                label_bottom(placed),
                placed.text,
                {.size = kTickSize, .colour = kText, .anchor = Anchor::Middle, .halo = "#fff"});
    }
  }
}

void Frame::say_empty() {
  svg_.text((left_ + right_) / 2,
            (top_ + bottom_) / 2,
            "no data",
            {.size = kLabelSize, .colour = kSoftText, .anchor = Anchor::Middle});
}

std::string Frame::finish() {
  draw_markers();
  draw_band_names();
  return svg_.str();
}

}  // namespace coppice::report
