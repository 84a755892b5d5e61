#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "coppice/report_render.h"
#include "report/figure.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

constexpr size_t kLongestLabel = 60;

std::string p_text(double p) {
  return p < 1e-4 ? fmt::format("{:.0e}", p) : fmt::format("{:.4f}", p);
}

std::string spread_text(const std::string& figure, const Spread& spread) {
  if (spread.count == 0) {
    return "–";
  }
  const std::string mean = report::format_figure(figure, spread.mean);
  if (spread.count == 1) {
    return mean;
  }
  return report::is_share(figure)
             ? fmt::format("{:.2f} ± {:.2f} %", 100 * spread.mean, 100 * spread.sd)
             : fmt::format("{:.5g} ± {:.2g}", spread.mean, spread.sd);
}

std::string seeds_of(const Comparison& comparison, const RunGroup& group) {
  std::vector<std::string> seeds;
  for (const size_t r : group.runs) {
    const std::string& seed = comparison.runs[r].seed;
    if (!seed.empty() && std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) {
      seeds.push_back(seed);
    }
  }
  return seeds.empty() ? "–" : fmt::format("{}", fmt::join(seeds, " "));
}

std::string cut(const std::string& text) {
  return text.size() <= kLongestLabel ? text : text.substr(0, kLongestLabel - 1) + "…";
}

std::string effect_text(double effect) {
  return std::isinf(effect) ? (effect > 0 ? "+inf" : "-inf") : fmt::format("{:+.2f}", effect);
}

}  // namespace

ReportTable configuration_table(const Comparison& comparison) {
  ReportTable table{{"", "runs", "seeds"}, {}};
  table.header.insert(table.header.end(), comparison.fields.begin(), comparison.fields.end());
  for (const RunGroup& group : comparison.groups) {
    std::vector<std::string> row{
        group.letter, std::to_string(group.runs.size()), seeds_of(comparison, group)};
    for (const std::string& value : group.values) {
      row.push_back(cut(value));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable figure_table(const Comparison& comparison) {
  ReportTable table{{"figure"}, {}};
  for (const RunGroup& group : comparison.groups) {
    table.header.push_back(group.letter);
  }
  std::vector<std::string> order = comparison.metrics;  // what matters comes first
  for (const std::string& figure : comparison.figures) {
    if (std::find(order.begin(), order.end(), figure) == order.end()) {
      order.push_back(figure);
    }
  }
  for (const std::string& figure : order) {
    std::vector<std::string> row{figure};
    for (size_t g = 0; g < comparison.groups.size(); ++g) {
      row.push_back(spread_text(figure, comparison.spread(g, figure)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable pair_table(const Comparison& comparison, const std::string& metric) {
  ReportTable table{{"pair",
                     "n",
                     "difference",
                     "95 % interval",
                     "effect d",
                     "t-test p",
                     "Holm",
                     "Wilcoxon p",
                     "Holm "},
                    {}};
  for (const GroupPair& pair : comparison.pairs.at(metric)) {
    const std::string name = fmt::format(
        "{} to {}", comparison.groups[pair.first].letter, comparison.groups[pair.second].letter);
    if (!pair.tests) {
      table.rows.push_back(
          {name, std::to_string(pair.seeds.size()), "–", "–", "–", "–", "–", "–", "–"});
      continue;
    }
    const auto& tests = *pair.tests;
    table.rows.push_back({name,
                          std::to_string(tests.pairs),
                          report::format_difference(metric, tests.mean_difference),
                          fmt::format("{} to {}",
                                      report::format_difference(metric, tests.low),
                                      report::format_difference(metric, tests.high)),
                          effect_text(tests.effect),
                          p_text(tests.t_p),
                          p_text(pair.t_holm),
                          p_text(tests.wilcoxon_p),
                          p_text(pair.wilcoxon_holm)});
  }
  return table;
}

std::string pair_remark(const Comparison& comparison, const std::string& metric) {
  std::string text = fmt::format(
      "Paired by seed; the difference is the second configuration minus the first{}. Effect: the "
      "mean difference in its standard deviations. p-values are two-sided; Holm's are adjusted for "
      "all pairs of the table.",
      report::is_share(metric) ? ", in points" : "");
  int64_t least = std::numeric_limits<int64_t>::max();
  bool untested = false;
  for (const GroupPair& pair : comparison.pairs.at(metric)) {
    if (pair.tests) {
      least = std::min(least, pair.tests->pairs);
    } else {
      untested = true;
    }
  }
  if (least < 6) {
    text += fmt::format(" The Wilcoxon test of {} pairs cannot give less than {}.",
                        least,
                        std::ldexp(1.0, static_cast<int>(1 - least)));
  }
  if (untested) {
    text += " A test needs two seeds that both configurations have.";
  }
  return text;
}

std::string comparison_text(const Comparison& comparison) {
  std::string text = fmt::format("{} runs, {} configuration{}\n\n",
                                 comparison.runs.size(),
                                 comparison.groups.size(),
                                 comparison.groups.size() == 1 ? "" : "s");
  const auto add = [&](const ReportTable& table) {
    text += report::text_table(table.header, table.rows) + "\n";
  };
  add(configuration_table(comparison));
  add(figure_table(comparison));
  if (comparison.groups.size() > 1) {
    for (const std::string& metric : comparison.metrics) {
      text += metric + "\n";
      add(pair_table(comparison, metric));
      text += pair_remark(comparison, metric) + "\n\n";
    }
  }
  for (const std::string& remark : comparison.remarks) {
    text += "remark: " + remark + "\n";
  }
  return text;
}

}  // namespace coppice::tools
