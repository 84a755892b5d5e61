#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "coppice/model_bench.h"
#include "report/svg.h"

namespace coppice::tools {

namespace {

constexpr double kRow = 20;
constexpr double kTop = 40;
constexpr double kWidth = 860;
constexpr double kMostName = 240;  // px that names may take
constexpr double kNumbers = 110;   // px behind the bars
constexpr double kText = 11.5;

/// Products are what a network is for; the rest is overhead.
std::string_view colour_of(const std::string& work) {
  for (const char* product :
       {"convolution", "inner_product", "matmul", "Conv", "Gemm", "quantised"}) {
    if (work.starts_with(product)) {
      return "#0072b2";
    }
  }
  return work.starts_with("reorder") ? "#d55e00" : "#009e73";
}

void draw_legend(report::Svg& svg) {
  double x = kWidth - 300;
  for (const auto& [name, colour] : {std::pair("layers", "#0072b2"),
                                     std::pair("changes of layout", "#d55e00"),
                                     std::pair("the rest", "#009e73")}) {
    svg.rectangle(x, 12, 11, 11, colour).text(x + 16, 22, name, {.size = kText});
    x += 32 + report::text_width(name, kText);
  }
}

}  // namespace

std::string step_picture(const std::vector<runtime::StepTime>& steps, const std::string& title) {
  const double total =
      std::accumulate(steps.begin(), steps.end(), 0.0, [](double sum, const auto& step) {
        return sum + step.micros;
      });
  double longest = 0;
  double widest = 0;
  for (const auto& step : steps) {
    longest = std::max(longest, step.micros);
    widest = std::max(widest, report::text_width(step.node, kText));
  }
  const double left = 18 + std::min(widest, kMostName);
  const double room = kWidth - left - kNumbers;
  report::Svg svg(kWidth, kTop + kRow * static_cast<double>(steps.size()) + 14, title);
  svg.text(12, 22, report::fit_text(title, 13, kWidth - 330), {.size = 13, .bold = true});
  draw_legend(svg);
  double y = kTop;
  for (const auto& step : steps) {
    const double width = longest > 0 ? room * step.micros / longest : 0;
    const double share = total > 0 ? 100 * step.micros / total : 0;
    const double base = y + 0.7 * kRow;
    svg.text(left - 6,
             base,
             report::fit_text(step.node, kText, kMostName),
             {.size = kText, .anchor = report::Anchor::End});
    svg.rectangle(
        left,
        y + 3,
        std::max(width, 1.0),
        kRow - 6,
        colour_of(step.work),
        fmt::format("{}: {}, {:.2f} µs, {:.1f} %", step.node, step.work, step.micros, share));
    svg.text(left + std::max(width, 1.0) + 6,
             base,
             fmt::format("{:.2f} µs · {:.1f} %", step.micros, share),
             {.size = kText, .colour = report::kSoftText});
    y += kRow;
  }
  return svg.str();
}

}  // namespace coppice::tools
