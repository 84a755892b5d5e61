#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "report/chart.h"
#include "report/svg.h"

namespace coppice::report {

namespace {

constexpr double kNameSize = 11;
constexpr double kLongestName = 110;                     // px
constexpr std::array<double, 3> kRight = {0, 114, 178};  // #0072b2
constexpr std::array<double, 3> kWrong = {213, 94, 0};   // #d55e00

/// From nearly white to the full colour.
std::string shade(const std::array<double, 3>& full, double share) {
  const auto mix = [&](double channel) {
    return static_cast<int>(std::lround(250 + (channel - 250) * std::clamp(share, 0.0, 1.0)));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(full[0]), mix(full[1]), mix(full[2]));
}

void check(const std::vector<std::vector<double>>& counts,
           size_t classes,
           const std::string& title) {
  const auto fail = [&](const std::string& what) {
    throw core::Error(core::ErrorKind::InvalidArgument, fmt::format("chart '{}': {}", title, what));
  };
  if (counts.size() != classes) {
    fail(fmt::format("{} rows for {} class names", counts.size(), classes));
  }
  for (const auto& row : counts) {
    if (row.size() != classes) {
      fail(fmt::format("a row of {} counts for {} class names", row.size(), classes));
    }
    if (!std::all_of(row.begin(), row.end(), [](double count) {
          return count >= 0 && std::isfinite(count);
        })) {
      fail("a count that is negative or not finite");
    }
  }
}

}  // namespace

std::string confusion_chart(const std::vector<std::vector<double>>& counts,
                            const std::vector<std::string>& names,
                            const std::string& title) {
  check(counts, names.size(), title);
  const double classes = static_cast<double>(std::max<size_t>(names.size(), 1));
  const double cell = std::clamp(460 / classes, 4.0, 44.0);
  double longest = 0;
  for (const std::string& name : names) {
    longest = std::max(longest, std::min(text_width(name, kNameSize), kLongestName));
  }
  const double left = 34 + longest;
  const double top = title.empty() ? 12 : 38;
  const double below = 0.72 * longest + 44;
  const double side = cell * classes;
  const double width = std::max(left + side + 20, 260.0);
  Svg svg(width, top + side + below, title);
  svg.text(
      14, 22, fit_text(title, 16, width - 28), {.size = 15, .colour = "#1d2126", .bold = true});

  const size_t name_step = static_cast<size_t>(std::ceil(13 / cell));  // names need 13 px each
  for (size_t row = 0; row < names.size(); ++row) {
    const double y = top + cell * static_cast<double>(row);
    const double total = std::accumulate(counts[row].begin(), counts[row].end(), 0.0);
    if (row % name_step == 0) {
      const std::string name = fit_text(names[row], kNameSize, kLongestName);
      const double middle = cell * (static_cast<double>(row) + 0.5);
      svg.text(left - 6, top + middle + 4, name, {.size = kNameSize, .anchor = Anchor::End});
      svg.text(left + middle + 4,
               top + side + 14,
               name,
               {.size = kNameSize, .anchor = Anchor::End, .rotate = -45});
    }
    for (size_t column = 0; column < names.size(); ++column) {
      const double x = left + cell * static_cast<double>(column);
      const double share = total > 0 ? counts[row][column] / total : 0;
      const bool right = row == column;
      // Errors are few: their scale is stretched so that one of 30 % already stands out.
      const double strength = right ? share : std::min(1.0, share * 2);
      const std::string fill = total > 0 ? shade(right ? kRight : kWrong, strength) : "#f0f1f3";
      svg.rectangle(x + 0.5,
                    y + 0.5,
                    cell - 1,
                    cell - 1,
                    fill,
                    fmt::format("{} taken for {}: {:.1f} % ({:.6g})",
                                names[row],
                                names[column],
                                100 * share,
                                counts[row][column]));
      if (cell >= 24 && share >= 0.005) {
        svg.text(x + cell / 2,
                 y + cell / 2 + 4,
                 fmt::format("{:.0f}", 100 * share),
                 {.size = cell >= 34 ? 12.0 : 10.0,
                  .colour = strength > 0.55 ? "#fff" : "#333",
                  .anchor = Anchor::Middle});
      }
    }
    if (total == 0 && cell >= 16) {
      svg.text(left + side / 2,
               y + cell / 2 + 4,
               "no sample",
               {.size = 10, .colour = kSoftText, .anchor = Anchor::Middle});
    }
  }
  svg.text(left + side / 2,
           top + side + below - 8,
           "prediction (% of each row)",
           {.size = 12, .anchor = Anchor::Middle});
  svg.text(16, top + side / 2, "truth", {.size = 12, .anchor = Anchor::Middle, .rotate = -90});
  return svg.str();
}

}  // namespace coppice::report
