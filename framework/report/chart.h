#pragma once

#include <string>
#include <vector>

namespace coppice::report {

struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  ///< NaN leaves a gap
  bool dashed = false;
};

struct Marker {  ///< a vertical line with a label: "release 3"
  double x = 0;
  std::string label;
};

struct Band {  ///< a shaded stretch of the x axis with a label: "noise"; one label, one tint
  double from = 0;
  double to = 0;
  std::string label;
};

struct ChartOptions {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Marker> markers;
  std::vector<Band> bands;
  bool y_from_zero = false;
  int width = 860;
  int height = 340;
};

/// Charts as SVG text: self-contained, scaling with the page, colours that colour-blind readers can
/// tell apart (Okabe and Ito, 2008). All throw Error{InvalidArgument} where the lengths of a series
/// differ. Without a finite point they say so.

std::string line_chart(const std::vector<Series>& series, const ChartOptions& options);

/// Stacked bars: `y` of each series has a value per category, `x` is not read. Markers and bands
/// stand at category numbers from 0, where category i reaches from i - 0.5 to i + 0.5.
std::string bar_chart(const std::vector<std::string>& categories,
                      const std::vector<Series>& stacked,
                      const ChartOptions& options);

std::string scatter_chart(const std::vector<Series>& series, const ChartOptions& options);

/// rows = truth, columns = prediction; cells show shares of the row in per cent. `counts` is square
/// with `names.size()` rows; a row without a sample is shown as such.
std::string confusion_chart(const std::vector<std::vector<double>>& counts,
                            const std::vector<std::string>& names,
                            const std::string& title);

}  // namespace coppice::report
