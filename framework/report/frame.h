#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/chart.h"
#include "report/svg.h"

namespace coppice::report {

/// Colour of series `i`; after the last it starts again.
std::string_view series_colour(size_t i);

struct Range {
  double low = 0;
  double high = 1;
};

/// Of the finite values; {0, 1} without one.
Range range_of(const std::vector<Series>& series, std::vector<double> Series::*values);

/// Throws Error{InvalidArgument} for a series whose x and y differ in length.
void check_series(const std::vector<Series>& series, std::string_view chart);

struct LegendEntry {
  std::string name;
  std::string_view colour;
  enum class Mark { Line, Dashes, Square, Dot } mark = Mark::Line;
};

/// What surrounds the data: title, legend, axes with ticks and gridlines, bands, markers. Works out
/// the margins from what is to be written in them, so that no two labels overlap.
class Frame {
 public:
  struct Setup {
    Range x;                              ///< exactly the span of the axis
    Range y;                              ///< widened to the next ticks
    bool whole_x = false;                 ///< ticks at whole numbers only
    bool log_x = false;                   ///< x are decimal logarithms, ticks what they are of
    std::vector<std::string> categories;  ///< in place of x ticks: category i stands at x = i
    std::vector<LegendEntry> legend;
  };

  Frame(const ChartOptions& options, Setup setup);

  Svg& svg() { return svg_; }

  double x(double value) const;  ///< px
  double y(double value) const;

  Range y_range() const { return setup_.y; }

  bool inside(double x_value) const { return x_value >= setup_.x.low && x_value <= setup_.x.high; }

  /// "no data" in the middle of the plot.
  void say_empty();

  /// Draws what lies over the data and returns the whole.
  std::string finish();

 private:
  void lay_out();
  void draw_legend();
  void draw_bands();
  void draw_band_names();
  void draw_y_axis();
  void draw_x_axis();
  void draw_categories();
  void draw_markers();

  ChartOptions options_;
  Setup setup_;
  Svg svg_;
  double y_step_ = 1;
  std::vector<double> y_ticks_;

  struct Placed {
    double x;
    int row;
    std::string text;
  };

  std::vector<Placed> legend_places_;  ///< x in px, row from the top
  std::vector<Placed>
      marker_places_;  ///< centre of the label in px, row from the bottom; row -1: no room

  struct BandName {
    double x;
    std::string text;
    std::string_view tint;
  };

  std::vector<BandName> band_places_;
  double category_angle_ = 0;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;  ///< px of the plot's edges
  double legend_top_ = 0;
};

}  // namespace coppice::report
