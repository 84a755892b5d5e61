#include <algorithm>

#include <fmt/format.h>

#include "report/chart.h"
#include "report/frame.h"

namespace coppice::report {

namespace {

constexpr double kSeam = 0.06;  // of a bin's width, on either side

void draw_bin(Frame& frame, const ReliabilityBin& bin) {
  const double seam = kSeam * (bin.high - bin.low);
  const double left = frame.x(bin.low + seam);
  const double right = frame.x(bin.high - seam);
  const std::string tip = fmt::format(
      "confidence {:.3f}, accuracy {:.3f}, {} samples", bin.confidence, bin.accuracy, bin.count);
  const double top = frame.y(bin.accuracy);
  frame.svg().rectangle(left, top, right - left, frame.y(0) - top, series_colour(0), tip);
  const double upper = frame.y(std::max(bin.accuracy, bin.confidence));
  const double lower = frame.y(std::min(bin.accuracy, bin.confidence));
  frame.svg().rectangle(left, upper, right - left, lower - upper, series_colour(1), tip, 0.55);
}

}  // namespace

std::string reliability_chart(const std::vector<ReliabilityBin>& bins,
                              const ChartOptions& options) {
  Frame::Setup setup;
  setup.x = {0, 1};
  setup.y = {0, 1};
  setup.legend = {{"accuracy", series_colour(0), LegendEntry::Mark::Square},
                  {"gap to confidence", series_colour(1), LegendEntry::Mark::Square},
                  {"perfect", kSoftText, LegendEntry::Mark::Dashes}};
  Frame frame(options, std::move(setup));
  bool empty = true;
  for (const ReliabilityBin& bin : bins) {
    if (bin.count > 0) {
      empty = false;
      draw_bin(frame, bin);
    }
  }
  frame.svg().line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), kSoftText, 1.2, "5 4");
  if (empty) {
    frame.say_empty();
  }
  return frame.finish();
}

}  // namespace coppice::report
