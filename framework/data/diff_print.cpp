#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/diff.h"

namespace coppice::data {

std::string to_text(const DatasetDifference& difference) {
  constexpr size_t kRows = 20;  // the most shifted ones, before a terminal scrolls
  std::string text =
      fmt::format("samples {} -> {}: kept {} (relabelled {}), removed {}, added {}\n",
                  difference.before,
                  difference.after,
                  difference.kept,
                  difference.relabelled,
                  difference.removed,
                  difference.added);
  if (!difference.classes.empty()) {
    text += fmt::format(
        "\n{:<24} {:>9} {:>9} {:>8} {:>8}\n", "class", "before", "after", "share", "share");
    for (const ClassDifference& row : difference.classes) {
      text += fmt::format("{:<24} {:>9} {:>9} {:>7.2f}% {:>7.2f}%\n",
                          row.name,
                          row.before,
                          row.after,
                          100 * row.share_before,
                          100 * row.share_after);
    }
    text += fmt::format("PSI of the class shares: {:.4f}\n", difference.class_psi);
  }
  std::vector<ValueDifference> rows = difference.values;
  std::stable_sort(
      rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.psi > b.psi; });
  text += fmt::format("\n{:<24} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7} {:>8}\n",
                      "value",
                      "mean",
                      "-> mean",
                      "std",
                      "-> std",
                      "PSI",
                      "KS",
                      "p");
  for (size_t i = 0; i < std::min(rows.size(), kRows); ++i) {
    const ValueDifference& row = rows[i];
    text +=
        fmt::format("{:<24} {:>10.4g} {:>10.4g} {:>10.4g} {:>10.4g} {:>7.3f} {:>7.3f} {:>8.1g}{}\n",
                    row.name,
                    row.mean_before,
                    row.mean_after,
                    row.std_before,
                    row.std_after,
                    row.psi,
                    row.ks_distance,
                    row.ks_p_value,
                    row.shifted ? " *" : "");
  }
  if (rows.size() > kRows) {
    text += fmt::format("… and {} that shifted less\n", rows.size() - kRows);
  }
  for (const std::string& finding : difference.findings) {
    text += fmt::format("look: {}\n", finding);
  }
  return text;
}

std::string to_json(const DatasetDifference& difference) {
  nlohmann::json classes = nlohmann::json::array();
  for (const ClassDifference& row : difference.classes) {
    classes.push_back({{"name", row.name},
                       {"before", row.before},
                       {"after", row.after},
                       {"share_before", row.share_before},
                       {"share_after", row.share_after}});
  }
  nlohmann::json values = nlohmann::json::array();
  for (const ValueDifference& row : difference.values) {
    values.push_back({{"name", row.name},
                      {"mean_before", row.mean_before},
                      {"mean_after", row.mean_after},
                      {"std_before", row.std_before},
                      {"std_after", row.std_after},
                      {"psi", row.psi},
                      {"ks_distance", row.ks_distance},
                      {"ks_p_value", row.ks_p_value},
                      {"shifted", row.shifted}});
  }
  const nlohmann::json node = {{"before", difference.before},
                               {"after", difference.after},
                               {"kept", difference.kept},
                               {"relabelled", difference.relabelled},
                               {"removed", difference.removed},
                               {"added", difference.added},
                               {"classes", classes},
                               {"class_psi", difference.class_psi},
                               {"values", values},
                               {"findings", difference.findings}};
  return node.dump(2);
}

}  // namespace coppice::data
