#include "data/diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "core/error.h"
#include "data/sample_bytes.h"
#include "data/two_sample.h"

namespace coppice::data {

namespace {

void check_comparable(const Dataset& before, const Dataset& after) {
  const Schema& a = before.schema();
  const Schema& b = after.schema();
  if (before.size() < 1 || after.size() < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "a comparison with an empty data set: it needs at least one sample");
  }
  if (a.sample_shape != b.sample_shape || a.type != b.type || a.task != b.task ||
      a.target_names != b.target_names) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("the data sets can't be compared: samples of [{}] for {} and of "
                                  "[{}] for {}, or another type or other targets",
                                  fmt::join(a.sample_shape, ", "),
                                  a.task,
                                  fmt::join(b.sample_shape, ", "),
                                  b.task));
  }
}

/// What a sample is said to be: its class's name, or its targets' bytes.
std::string truth_of(const Batch& batch, const Schema& schema, size_t i) {
  if (!schema.target_names.empty()) {
    const size_t bytes = schema.target_names.size() * sizeof(float);
    return {reinterpret_cast<const char*>(batch.targets.data()) + i * bytes, bytes};
  }
  const int64_t label = batch.labels[i];
  return label < 0 ? std::string() : schema.class_names[static_cast<size_t>(label)];
}

void match_samples(const Batch& old_batch,
                   const Schema& old_schema,
                   const Batch& new_batch,
                   const Schema& new_schema,
                   DatasetDifference& result) {
  std::unordered_map<std::string_view, std::vector<std::string>> truths;
  for (size_t i = 0; i < old_batch.labels.size(); ++i) {
    truths[bytes_of_sample(old_batch, old_schema, i)].push_back(truth_of(old_batch, old_schema, i));
  }
  std::vector<size_t> unmatched;  // samples that agree in their truth are matched first
  for (size_t i = 0; i < new_batch.labels.size(); ++i) {
    const auto at = truths.find(bytes_of_sample(new_batch, new_schema, i));
    if (at == truths.end()) {
      continue;
    }
    const auto truth =
        std::find(at->second.begin(), at->second.end(), truth_of(new_batch, new_schema, i));
    if (truth == at->second.end()) {
      unmatched.push_back(i);
      continue;
    }
    at->second.erase(truth);
    ++result.kept;
  }
  for (const size_t i : unmatched) {
    auto& rest = truths.at(bytes_of_sample(new_batch, new_schema, i));
    if (!rest.empty()) {
      rest.pop_back();
      ++result.kept;
      ++result.relabelled;
    }
  }
  result.removed = result.before - result.kept;
  result.added = result.after - result.kept;
}

std::map<std::string, int64_t> counts_by_name(const Dataset& dataset) {
  const std::vector<int64_t> counts = class_counts(dataset);
  std::map<std::string, int64_t> by_name;
  for (size_t c = 0; c < counts.size(); ++c) {
    by_name[dataset.schema().class_names[c]] = counts[c];
  }
  return by_name;
}

void compare_classes(const Dataset& before, const Dataset& after, DatasetDifference& result) {
  std::vector<std::string> names = before.schema().class_names;
  for (const std::string& name : after.schema().class_names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  const std::map<std::string, int64_t> old_counts = counts_by_name(before);
  const std::map<std::string, int64_t> new_counts = counts_by_name(after);
  const auto count = [](const std::map<std::string, int64_t>& counts, const std::string& name) {
    const auto at = counts.find(name);
    return at == counts.end() ? 0 : at->second;
  };
  std::vector<double> old_shares;
  std::vector<double> new_shares;
  for (const std::string& name : names) {
    ClassDifference row = {name, count(old_counts, name), count(new_counts, name), 0, 0};
    row.share_before = static_cast<double>(row.before) / static_cast<double>(result.before);
    row.share_after = static_cast<double>(row.after) / static_cast<double>(result.after);
    old_shares.push_back(row.share_before);
    new_shares.push_back(row.share_after);
    result.classes.push_back(std::move(row));
  }
  result.class_psi = names.empty() ? 0 : population_stability(old_shares, new_shares);
}

double value_at(const Batch& batch, const Schema& schema, size_t k) {
  return schema.type == ElementType::U8
             ? static_cast<double>(std::to_integer<uint8_t>(batch.samples[k]))
             : static_cast<double>(reinterpret_cast<const float*>(batch.samples.data())[k]);
}

struct MeanAndStd {
  double mean;
  double std;
};

MeanAndStd describe_values(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {mean, std::sqrt(squares / count)};
}

/// A number per sample for each thing that is compared.
struct Series {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;
};

Series series_of(const Batch& batch,
                 const Schema& schema,
                 const std::vector<std::string>& feature_names) {
  const auto channels = static_cast<size_t>(schema.sample_shape.front());
  const size_t run = static_cast<size_t>(schema.sample_elements()) / channels;
  const bool features = schema.sample_shape.size() == 1;
  Series series;
  std::vector<double> values(run);
  for (size_t c = 0; c < channels; ++c) {
    std::vector<double> first;
    std::vector<double> second;
    for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
      for (size_t k = 0; k < run; ++k) {
        values[k] = value_at(batch, schema, (i * channels + c) * run + k);
      }
      const MeanAndStd summary = describe_values(values);
      first.push_back(summary.mean);
      second.push_back(summary.std);
    }
    const bool named = features && feature_names.size() == channels;
    series.names.push_back(named      ? feature_names[c]
                           : features ? fmt::format("feature {}", c)
                                      : fmt::format("channel {} mean", c));
    series.values.push_back(std::move(first));
    if (!features) {
      series.names.push_back(fmt::format("channel {} std", c));
      series.values.push_back(std::move(second));
    }
  }
  return series;
}

void compare_values(Series before,
                    Series after,
                    const DiffOptions& options,
                    DatasetDifference& result) {
  const double level = options.significance / static_cast<double>(before.names.size());
  for (size_t k = 0; k < before.names.size(); ++k) {
    const MeanAndStd old_summary = describe_values(before.values[k]);
    const MeanAndStd new_summary = describe_values(after.values[k]);
    ValueDifference row = {before.names[k],
                           old_summary.mean,
                           new_summary.mean,
                           old_summary.std,
                           new_summary.std,
                           0,
                           0,
                           1,
                           false};
    row.psi = population_stability(before.values[k], after.values[k], options.bins);
    const KolmogorovSmirnov test =
        kolmogorov_smirnov(std::move(before.values[k]), std::move(after.values[k]));
    row.ks_distance = test.distance;
    row.ks_p_value = test.p_value;
    row.shifted = row.psi >= options.psi_threshold && row.ks_p_value < level;
    result.values.push_back(std::move(row));
  }
}

void judge_difference(const DiffOptions& options, DatasetDifference& result) {
  if (result.relabelled > 0) {
    result.findings.push_back(
        fmt::format("{} kept samples have another label or target", result.relabelled));
  }
  for (const ClassDifference& row : result.classes) {
    if ((row.before == 0) != (row.after == 0)) {
      result.findings.push_back(
          fmt::format("class '{}' {}", row.name, row.after == 0 ? "is gone" : "is new"));
    }
  }
  if (result.class_psi >= options.psi_threshold) {
    result.findings.push_back(
        fmt::format("the class shares have shifted (PSI {:.3f})", result.class_psi));
  }
  for (const ValueDifference& row : result.values) {
    if (row.shifted) {
      result.findings.push_back(fmt::format("{} has shifted (PSI {:.3f}, KS {:.3f}, p {:.1g})",
                                            row.name,
                                            row.psi,
                                            row.ks_distance,
                                            row.ks_p_value));
    }
  }
}

}  // namespace

void DiffOptions::visit(core::Fields& f) {
  f.field("psi_threshold",
          psi_threshold,
          {.help = "population stability index from which a shift is large", .min = 0});
  f.field("significance",
          significance,
          {.help = "of the Kolmogorov-Smirnov test, shared by all tests", .min = 0, .max = 1});
  f.field("bins",
          bins,
          {.help = "of the index, between quantiles of the older samples", .min = 2, .max = 1000});
}

DatasetDifference diff(const Dataset& before,
                       const Dataset& after,
                       const DiffOptions& options,
                       const std::vector<std::string>& feature_names) {
  check_comparable(before, after);
  const Batch old_batch = read_all(before);
  const Batch new_batch = read_all(after);
  DatasetDifference result;
  result.before = before.size();
  result.after = after.size();
  match_samples(old_batch, before.schema(), new_batch, after.schema(), result);
  compare_classes(before, after, result);
  compare_values(series_of(old_batch, before.schema(), feature_names),
                 series_of(new_batch, after.schema(), feature_names),
                 options,
                 result);
  judge_difference(options, result);
  return result;
}

}  // namespace coppice::data
