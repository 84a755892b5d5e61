#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/inspect.h"

namespace coppice::data {

namespace {

constexpr size_t kRows = 20;  // of classes and channels, before a terminal scrolls

std::string schema_line(const Inspection& inspection) {
  const Schema& schema = inspection.schema;
  return fmt::format(
      "{} samples of [{}] {}, {}{}\n",
      inspection.statistics.samples,
      fmt::join(schema.sample_shape, ", "),
      schema.type == ElementType::U8 ? "u8" : "f32",
      schema.task,
      schema.class_names.empty() ? "" : fmt::format(" into {} classes", schema.class_names.size()));
}

std::string class_rows(const Inspection& inspection) {
  const Statistics& statistics = inspection.statistics;
  const std::vector<std::string>& names = inspection.schema.class_names;
  std::string text =
      names.empty() ? "" : fmt::format("\n{:<24} {:>9} {:>8}\n", "class", "samples", "share");
  for (size_t c = 0; c < std::min(names.size(), kRows); ++c) {
    text += fmt::format("{:<24} {:>9} {:>7.2f}%\n",
                        names[c],
                        statistics.class_counts[c],
                        100 * static_cast<double>(statistics.class_counts[c]) /
                            static_cast<double>(statistics.samples));
  }
  return text + (names.size() > kRows ? fmt::format("… and {} more\n", names.size() - kRows) : "");
}

std::string value_rows(const Inspection& inspection) {
  const Statistics& statistics = inspection.statistics;
  const bool features = inspection.schema.sample_shape.size() == 1;
  std::string text =
      fmt::format("\n{:<24} {:>12} {:>12}\n", features ? "feature" : "channel", "mean", "std");
  for (size_t c = 0; c < std::min(statistics.mean.size(), kRows); ++c) {
    text += fmt::format("{:<24} {:>12.6g} {:>12.6g}\n", c, statistics.mean[c], statistics.std[c]);
  }
  if (statistics.mean.size() > kRows) {
    text += fmt::format("… and {} more\n", statistics.mean.size() - kRows);
  }
  for (size_t t = 0; t < statistics.target_mean.size(); ++t) {
    text += fmt::format("{:<24} {:>12.6g} {:>12.6g}\n",
                        "target " + inspection.schema.target_names[t],
                        statistics.target_mean[t],
                        statistics.target_std[t]);
  }
  return text + fmt::format("values from {:.6g} to {:.6g}\n", statistics.min, statistics.max);
}

}  // namespace

std::string to_text(const Inspection& inspection) {
  std::string text = schema_line(inspection) + class_rows(inspection) + value_rows(inspection);
  text += fmt::format(
      "\nduplicates {}, of these in conflict {}\n", inspection.duplicates, inspection.conflicts);
  for (const std::string& finding : inspection.findings) {
    text += fmt::format("look: {}\n", finding);
  }
  return text;
}

std::string to_json(const Inspection& inspection) {
  const Statistics& statistics = inspection.statistics;
  const nlohmann::json node = {{"samples", statistics.samples},
                               {"task", inspection.schema.task},
                               {"sample_shape", inspection.schema.sample_shape},
                               {"class_names", inspection.schema.class_names},
                               {"class_counts", statistics.class_counts},
                               {"mean", statistics.mean},
                               {"std", statistics.std},
                               {"min", statistics.min},
                               {"max", statistics.max},
                               {"target_names", inspection.schema.target_names},
                               {"target_mean", statistics.target_mean},
                               {"target_std", statistics.target_std},
                               {"unlabelled", inspection.unlabelled},
                               {"empty_classes", inspection.empty_classes},
                               {"imbalance", inspection.imbalance},
                               {"duplicates", inspection.duplicates},
                               {"conflicts", inspection.conflicts},
                               {"first_duplicates", inspection.first_duplicates},
                               {"first_conflicts", inspection.first_conflicts},
                               {"constant_channels", inspection.constant_channels},
                               {"out_of_range", inspection.out_of_range},
                               {"findings", inspection.findings}};
  return node.dump(2);
}

}  // namespace coppice::data
