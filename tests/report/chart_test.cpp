#include "report/chart.h"

#include <cmath>
#include <limits>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "report/svg.h"
#include "report/xml_check.h"

namespace coppice::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Label {
  double left, right, bottom, size;
  std::string text;
};

/// Texts that stand upright, with the extent that the layout reckons with.
std::vector<Label> upright_labels(const std::string& svg) {
  static const std::regex pattern(
      "<text x=\"([-0-9.]+)\" y=\"([-0-9.]+)\" font-size=\"([0-9.]+)\" fill=\"[^\"]*\"( "
      "text-anchor=\"([a-z]+)\")?"
      "( font-weight=\"600\")?( stroke=[^>]*)?>([^<]*)</text>");
  std::vector<Label> labels;
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), pattern);
       it != std::sregex_iterator();
       ++it) {
    const double x = std::stod((*it)[1]);
    const double size = std::stod((*it)[3]);
    const double width = text_width((*it)[8].str(), size);
    const std::string anchor = (*it)[5];
    const double left = anchor == "middle" ? x - width / 2 : anchor == "end" ? x - width : x;
    labels.push_back({left, left + width, std::stod((*it)[2]), size, (*it)[8]});
  }
  return labels;
}

void expect_no_overlap(const std::string& svg) {
  const auto labels = upright_labels(svg);
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = i + 1; j < labels.size(); ++j) {
      const Label& a = labels[i];
      const Label& b = labels[j];
      const bool beside = a.right <= b.left || b.right <= a.left;
      const bool apart =
          a.bottom <= b.bottom - 0.75 * b.size || b.bottom <= a.bottom - 0.75 * a.size;
      EXPECT_TRUE(beside || apart) << "'" << a.text << "' and '" << b.text << "'";
    }
  }
}

ChartOptions options() {
  ChartOptions result;
  result.title = "Accuracy by day";
  result.x_label = "day";
  result.y_label = "accuracy";
  return result;
}

TEST(LineChart, IsWellFormedAndAccessible) {
  const std::string svg = line_chart({{"loop", {1, 2, 3}, {0.5, 0.7, 0.6}, false}}, options());
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-label=\"Accuracy by day\""));
  EXPECT_THAT(svg, HasSubstr("<title>Accuracy by day</title>"));
  EXPECT_THAT(svg, HasSubstr("viewBox=\"0 0 860 340\""));
  EXPECT_THAT(svg, HasSubstr(">loop</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("http://www.w3.org/1999")));
}

TEST(LineChart, EscapesEveryText) {
  ChartOptions hostile;
  const std::string bad = "<script>\"a\" & 'b'</script>";
  hostile.title = hostile.x_label = hostile.y_label = bad;
  hostile.markers = {{1, bad}};
  hostile.bands = {{0, 3, bad}};
  const std::vector<Series> series = {{bad, {0, 3}, {1, 2}, false}};
  for (const std::string& svg : {line_chart(series, hostile),
                                 scatter_chart(series, hostile),
                                 bar_chart({bad, bad}, series, hostile),
                                 confusion_chart({{1, 2}, {0, 0}}, {bad, bad}, bad)}) {
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_THAT(svg, Not(HasSubstr("<script")));
  }
}

TEST(LineChart, NanLeavesAGap) {
  const std::string whole = line_chart({{"a", {0, 1, 2, 3, 4}, {1, 2, 3, 4, 5}, false}}, options());
  const std::string gap =
      line_chart({{"a", {0, 1, 2, 3, 4}, {1, 2, kNan, 4, 5}, false}}, options());
  EXPECT_EQ(count(gap, "stroke-width=\"2\""), count(whole, "stroke-width=\"2\"") + 1);
  EXPECT_THAT(gap, Not(HasSubstr("nan")));
  EXPECT_THAT(line_chart({{"a", {0, 1}, {1, kInfinity}, false}}, options()), Not(HasSubstr("inf")));
}

TEST(LineChart, HigherValuesStandHigher) {
  const std::string svg = line_chart({{"a", {0, 1}, {1, 2}, false}}, options());
  std::smatch match;
  ASSERT_TRUE(std::regex_search(
      svg,
      match,
      std::regex("d=\"M([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)\"[^>]*stroke-width=\"2\"")));
  EXPECT_LT(std::stod(match[1]), std::stod(match[3]));
  EXPECT_GT(std::stod(match[2]), std::stod(match[4]));
}

TEST(LineChart, WithoutDataItSaysSo) {
  EXPECT_THAT(line_chart({}, options()), HasSubstr("no data"));
  EXPECT_THAT(line_chart({{"a", {}, {}, false}}, options()), HasSubstr("no data"));
  EXPECT_THAT(line_chart({{"a", {1}, {kNan}, false}}, options()), HasSubstr("no data"));
  EXPECT_THAT(scatter_chart({}, options()), HasSubstr("no data"));
  EXPECT_THAT(bar_chart({}, {}, options()), HasSubstr("no data"));
}

TEST(LineChart, ConstantAndSinglePointsHaveAPlace) {
  for (const auto& series : {Series{"a", {3}, {7}, false},
                             Series{"a", {1, 2}, {0, 0}, false},
                             Series{"a", {1, 2}, {1e-9, 1e-9}, false},
                             Series{"a", {1, 2}, {-1e9, -1e9}, false}}) {
    const std::string svg = line_chart({series}, options());
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
    expect_no_overlap(svg);
  }
}

TEST(LineChart, LabelsDoNotOverlap) {
  ChartOptions crowded = options();
  for (int i = 1; i <= 12; ++i) {
    crowded.markers.push_back({0.3 * i + 1, "release " + std::to_string(i)});
  }
  crowded.bands = {
      {1, 3, "clean"}, {3, 3.2, "sensor noise and low contrast"}, {3.2, 12, "rotation"}};
  std::vector<Series> series;
  for (int i = 0; i < 9; ++i) {
    series.push_back({"a rather long name of series " + std::to_string(i),
                      {1, 12},
                      {0.1 * i, 123456.0 * i},
                      i % 2 == 0});
  }
  for (const int width : {860, 420}) {
    crowded.width = width;
    const std::string svg = line_chart(series, crowded);
    expect_no_overlap(svg);
    for (const Label& label : upright_labels(svg)) {
      EXPECT_GE(label.left, 0) << label.text;
      EXPECT_LE(label.right, width) << label.text;
    }
  }
}

TEST(LineChart, YStartsAtZeroOnRequest) {
  ChartOptions from_zero = options();
  from_zero.y_from_zero = true;
  const std::vector<Series> series = {{"a", {0, 1}, {80, 90}, false}};
  EXPECT_THAT(line_chart(series, from_zero), HasSubstr(">0</text>\n<path"));
  EXPECT_THAT(line_chart(series, options()), Not(HasSubstr(">20</text>")));
  EXPECT_THAT(line_chart(series, from_zero), HasSubstr(">20</text>"));
}

TEST(LineChart, ManyPointsStaySmallAndKeepTheSpike) {
  Series series{"loss", {}, {}, false};
  for (int i = 0; i < 200'000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i == 123'457 ? 1000.0 : 1.0 + 0.1 * (i % 7));
  }
  const std::string svg = line_chart({series}, options());
  EXPECT_LT(svg.size(), 60'000u);
  EXPECT_THAT(svg, HasSubstr(">1,000</text>"));
  Series flat = series;
  flat.y[123'457] = 1.0;
  EXPECT_NE(svg.find("L", 0), std::string::npos);
  EXPECT_THAT(line_chart({flat}, options()), Not(HasSubstr(">1,000</text>")));
}

TEST(Charts, UnequalLengthsAreRefused) {
  const std::vector<Series> uneven = {{"odd", {1, 2}, {1}, false}};
  EXPECT_THROW(line_chart(uneven, options()), core::Error);
  EXPECT_THROW(scatter_chart(uneven, options()), core::Error);
  EXPECT_THROW(bar_chart({"a", "b"}, {{"odd", {}, {1}, false}}, options()), core::Error);
  EXPECT_THROW(confusion_chart({{1, 2}}, {"a", "b"}, ""), core::Error);
  EXPECT_THROW(confusion_chart({{1, 2}, {1}}, {"a", "b"}, ""), core::Error);
  EXPECT_THROW(confusion_chart({{-1}}, {"a"}, ""), core::Error);
}

TEST(BarChart, StacksAddUp) {
  const std::string svg =
      bar_chart({"one", "two"}, {{"a", {}, {10, 0}, false}, {"b", {}, {30, 5}, false}}, options());
  EXPECT_EQ(xml_problem(svg), "");
  const std::regex bar(
      "<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"[0-9.]+\" height=\"([0-9.]+)\" "
      "fill=\"[^\"]+\"><title>([^<]+)");
  std::map<std::string, std::pair<double, double>> bars;
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), bar); it != std::sregex_iterator();
       ++it) {
    bars[(*it)[4]] = {std::stod((*it)[2]), std::stod((*it)[3])};
  }
  ASSERT_EQ(bars.size(), 3u) << "an empty share is not drawn";
  const auto& [a_top, a_height] = bars.at("one, a: 10");
  const auto& [b_top, b_height] = bars.at("one, b: 30");
  EXPECT_NEAR(b_height, 3 * a_height, 0.1);
  EXPECT_NEAR(b_top + b_height, a_top, 0.1);
}

TEST(BarChart, LongCategoriesAreTurned) {
  std::vector<std::string> names;
  Series series{"n", {}, {}, false};
  for (int i = 0; i < 12; ++i) {
    names.push_back("a long category " + std::to_string(i));
    series.y.push_back(i);
  }
  const std::string svg = bar_chart(names, {series}, options());
  EXPECT_GE(count(svg, "rotate(-40"), 12u);
  expect_no_overlap(svg);
}

TEST(HistogramChart, SharesAddUpToTheWhole) {
  ChartOptions limited = options();
  limited.x_limit = 4;
  const std::string svg = histogram_chart(
      {{"normal", {}, {0, 0, 1, 3}, false}, {"odd", {}, {3.5, 90}, false}}, limited, 4);
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("normal: 50 % from 0 to 1"));
  EXPECT_THAT(svg, HasSubstr("normal: 25 % from 1 to 2"));
  EXPECT_THAT(svg, HasSubstr("normal: 25 % from 3 to 4"));
  EXPECT_THAT(svg, HasSubstr("odd: 100 % from 3 to 4")) << "what is beyond the limit counts too";
  EXPECT_THAT(histogram_chart({}, options()), HasSubstr("no data"));
  EXPECT_THAT(histogram_chart({{"a", {}, {kNan, 7}, false}}, options()), Not(HasSubstr("nan")));
  EXPECT_THROW(histogram_chart({}, options(), 0), core::Error);
}

TEST(ReliabilityChart, ShowsAccuracyAndTheGap) {
  const std::string svg = reliability_chart({{0, 0.5, 0, 0, 0}, {0.5, 1, 40, 0.9, 0.7}}, options());
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_EQ(count(svg, "confidence 0.900, accuracy 0.700, 40 samples"), 2u);
  EXPECT_EQ(count(svg, "samples</title>"), 2u) << "an empty bin has no bar";
  EXPECT_THAT(reliability_chart({}, options()), HasSubstr("no data"));
}

TEST(ScatterChart, TheDiagonalHasEqualAxes) {
  ChartOptions equal = options();
  equal.diagonal = true;
  const std::string svg = scatter_chart({{"a", {0, 10}, {4, 5}, false}}, equal);
  EXPECT_THAT(svg, HasSubstr("stroke-dasharray=\"5 4\""));
  EXPECT_THAT(svg, HasSubstr(">10</text>\n<path"));
  EXPECT_THAT(scatter_chart({{"a", {0, 10}, {4, 5}, false}}, options()),
              Not(HasSubstr("stroke-dasharray")));
}

TEST(ScatterChart, NamesAndJoinsPointsOnALogarithmicAxis) {
  ChartOptions logarithmic = options();
  logarithmic.x_log = true;
  Series frontier{"frontier", {1, 10, 100, 0}, {1, 2, 3, 4}};
  frontier.joined = true;
  frontier.labels = {"small", "middle", "large", "none"};
  const std::string svg = scatter_chart({frontier}, logarithmic);
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_THAT(svg, AllOf(HasSubstr(">small</text>"), HasSubstr(">large</text>")));
  EXPECT_THAT(svg, Not(HasSubstr(">none</text>"))) << "0 has no logarithm";
  EXPECT_THAT(svg, HasSubstr("(100, 3)"));
  EXPECT_THAT(svg,
              AllOf(HasSubstr(">1</text>"), HasSubstr(">20</text>"), HasSubstr(">100</text>")));
}

TEST(ConfusionChart, ShowsSharesOfRows) {
  const std::string svg =
      confusion_chart({{30, 10, 0}, {0, 0, 0}, {1, 0, 999}}, {"shirt", "coat", "bag"}, "Confusion");
  EXPECT_EQ(xml_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr(">75</text>"));
  EXPECT_THAT(svg, HasSubstr(">25</text>"));
  EXPECT_THAT(svg, HasSubstr("no sample"));
  EXPECT_THAT(svg, HasSubstr(">100</text>"));
  EXPECT_THAT(svg, HasSubstr("shirt taken for coat: 25.0 % (10)"));
}

TEST(ConfusionChart, HundredClassesAreThinned) {
  const std::vector<std::vector<double>> counts(100, std::vector<double>(100, 1));
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back("class" + std::to_string(i));
  }
  const std::string svg = confusion_chart(counts, names, "Confusion");
  EXPECT_LT(upright_labels(svg).size(), 45u);
  expect_no_overlap(svg);
}

TEST(SvgText, FitsItsRoom) {
  EXPECT_EQ(fit_text("short", 12, 200), "short");
  const std::string cut = fit_text("a text that is far too long", 12, 60);
  EXPECT_THAT(cut, ::testing::EndsWith("…"));
  EXPECT_LE(text_width(cut, 12), 62);
  EXPECT_EQ(fit_text("abcdef", 12, 10), "");
  EXPECT_EQ(fit_text("üöäüöäüöä", 12, 48), "üöäüö…") << "cut between characters, not inside one";
}

}  // namespace
}  // namespace coppice::report
