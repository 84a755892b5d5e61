#include "data/inspect.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "data/sample_bytes.h"

namespace coppice::data {

namespace {

constexpr size_t kExamples = 5;

bool same_truth(const Schema& schema, const Batch& batch, size_t a, size_t b) {
  const size_t targets = schema.target_names.size();
  const auto* values = batch.targets.data();
  return batch.labels[a] == batch.labels[b] &&
         std::equal(values + a * targets, values + (a + 1) * targets, values + b * targets);
}

void find_duplicates(const Batch& batch, Inspection& result) {
  std::unordered_map<std::string_view, size_t> first_seen;
  for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
    const auto [at, is_new] = first_seen.emplace(bytes_of_sample(batch, result.schema, i), i);
    if (is_new) {
      continue;
    }
    const SamePair pair = {static_cast<int64_t>(at->second), static_cast<int64_t>(i)};
    ++result.duplicates;
    if (result.first_duplicates.size() < kExamples) {
      result.first_duplicates.push_back(pair);
    }
    if (!same_truth(result.schema, batch, at->second, i)) {
      ++result.conflicts;
      if (result.first_conflicts.size() < kExamples) {
        result.first_conflicts.push_back(pair);
      }
    }
  }
}

void weigh_classes(const Batch& batch, Inspection& result) {
  const std::vector<std::string>& names = result.schema.class_names;
  if (names.empty()) {
    return;
  }
  result.unlabelled = std::count(batch.labels.begin(), batch.labels.end(), -1);
  int64_t smallest = 0;
  int64_t largest = 0;
  for (size_t c = 0; c < names.size(); ++c) {
    const int64_t count = result.statistics.class_counts[c];
    if (count == 0) {
      result.empty_classes.push_back(names[c]);
      continue;
    }
    smallest = smallest == 0 ? count : std::min(smallest, count);
    largest = std::max(largest, count);
  }
  result.imbalance =
      smallest == 0 ? 1 : static_cast<double>(largest) / static_cast<double>(smallest);
}

void count_out_of_range(const Batch& batch, const InspectOptions& options, Inspection& result) {
  if (!options.check_range || result.schema.type != ElementType::F32) {
    return;
  }
  const auto elements = static_cast<size_t>(result.schema.sample_elements());
  const auto* values = reinterpret_cast<const float*>(batch.samples.data());
  for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i, values += elements) {
    result.out_of_range += std::any_of(values, values + elements, [&](float value) {
      return static_cast<double>(value) < options.low || static_cast<double>(value) > options.high;
    });
  }
}

std::string examples(const std::vector<SamePair>& pairs) {
  std::string text;
  for (const auto& [a, b] : pairs) {
    text += fmt::format("{}{} and {}", text.empty() ? "" : ", ", a, b);
  }
  return text;
}

void judge(const InspectOptions& options, Inspection& result) {
  const auto find = [&](std::string text) {
    result.findings.push_back(std::move(text));
  };
  const auto samples = static_cast<double>(result.statistics.samples);
  if (result.conflicts > 0) {
    find(fmt::format("{} samples occur again with another label or target: {}",
                     result.conflicts,
                     examples(result.first_conflicts)));
  }
  if (static_cast<double>(result.duplicates) > options.most_duplicates * samples) {
    find(fmt::format("{} samples ({:.1f} %) occur again: {}",
                     result.duplicates,
                     100 * static_cast<double>(result.duplicates) / samples,
                     examples(result.first_duplicates)));
  }
  if (!result.empty_classes.empty()) {
    find(fmt::format("classes without a sample: {}", fmt::join(result.empty_classes, ", ")));
  }
  if (result.imbalance > options.most_imbalance) {
    find(fmt::format("the largest class has {:.1f} times the samples of the smallest",
                     result.imbalance));
  }
  if (result.unlabelled > 0) {
    find(fmt::format("{} samples have no label", result.unlabelled));
  }
  if (!result.constant_channels.empty()) {
    find(fmt::format("{} {} the same value everywhere: {}",
                     result.schema.sample_shape.size() == 1 ? "features" : "channels",
                     result.constant_channels.size() == 1 ? "has" : "have",
                     fmt::join(result.constant_channels, ", ")));
  }
  if (result.out_of_range > 0) {
    find(fmt::format(
        "{} samples have values outside [{}, {}]", result.out_of_range, options.low, options.high));
  }
}

}  // namespace

void InspectOptions::visit(core::Fields& f) {
  f.field("check_range", check_range, {.help = "whether f32 values must lie in [low, high]"});
  f.field("low", low, {.help = "least value allowed"});
  f.field("high", high, {.help = "greatest value allowed"});
  f.field("most_imbalance",
          most_imbalance,
          {.help = "largest class over smallest that is not worth a finding", .min = 1});
  f.field("most_duplicates",
          most_duplicates,
          {.help = "share of duplicates that is not worth a finding", .min = 0, .max = 1});
}

Inspection inspect(const Dataset& dataset, const InspectOptions& options) {
  const Batch batch = read_all(dataset);
  Inspection result;
  result.schema = dataset.schema();
  result.statistics = compute_statistics(result.schema, batch);
  weigh_classes(batch, result);
  find_duplicates(batch, result);
  count_out_of_range(batch, options, result);
  for (size_t c = 0; c < result.statistics.std.size(); ++c) {
    if (result.statistics.std[c] == 0) {
      result.constant_channels.push_back(static_cast<int64_t>(c));
    }
  }
  judge(options, result);
  return result;
}

}  // namespace coppice::data
