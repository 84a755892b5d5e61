#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace coppice::report {

struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  ///< NaN leaves a gap
  bool dashed = false;
  int64_t colour = -1;  ///< series of the same number share it; -1: one of its own
  bool faint = false;   ///< thin and pale, not in the legend: one run behind the mean of several
  bool joined = false;  ///< scatter: a line through the points
  std::vector<std::string> labels = {};  ///< scatter: up and left of each point; empty: none
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
  bool x_log = false;     ///< scatter: a logarithmic axis; points at 0 and below are left out
  bool diagonal = false;  ///< scatter: a dashed line where y equals x, and equal axes
  /// histogram: the axis ends here; what is beyond counts in the last bar
  double x_limit = std::numeric_limits<double>::infinity();
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

/// How often values fall into `bins` stretches of equal width, as shares of each series in per
/// cent; only `y` of a series is read. Values above `options.x_limit` are counted in the last
/// stretch.
std::string histogram_chart(const std::vector<Series>& series,
                            const ChartOptions& options,
                            int bins = 40);

/// One bar of a reliability diagram: samples whose confidence lies in (low, high].
struct ReliabilityBin {
  double low = 0;
  double high = 0;
  int64_t count = 0;
  double confidence = 0;  ///< mean
  double accuracy = 0;
};

/// Accuracy over confidence (Guo et al., ICML 2017): bars at the accuracy of each bin that has
/// samples, the gap to its confidence on top, the diagonal of perfect calibration.
std::string reliability_chart(const std::vector<ReliabilityBin>& bins, const ChartOptions& options);

/// rows = truth, columns = prediction; cells show shares of the row in per cent. `counts` is square
/// with `names.size()` rows; a row without a sample is shown as such.
std::string confusion_chart(const std::vector<std::vector<double>>& counts,
                            const std::vector<std::string>& names,
                            const std::string& title);

}  // namespace coppice::report
