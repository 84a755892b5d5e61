#include "monitor/classification.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

/// Checks what the header promises and returns the number of columns.
size_t columns_of(std::span<const double> rows, std::span<const int64_t> truth) {
  const auto refuse_rows = [](const std::string& what) {
    throw core::Error(core::ErrorKind::InvalidArgument, "classification metric: " + what);
  };
  if (truth.empty()) {
    refuse_rows("no samples; pass at least one");
  }
  if (rows.empty() || rows.size() % truth.size() != 0) {
    refuse_rows(
        fmt::format("{} values for {} samples; pass one row each", rows.size(), truth.size()));
  }
  const size_t columns = rows.size() / truth.size();
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 0 || truth[i] >= static_cast<int64_t>(columns)) {
      refuse_rows(fmt::format("class {} of sample {} is outside [0, {})", truth[i], i, columns));
    }
  }
  const auto bad = std::find_if(rows.begin(), rows.end(), [](double v) { return std::isnan(v); });
  if (bad != rows.end()) {
    refuse_rows(fmt::format("a value of sample {} is NaN",
                            static_cast<size_t>(bad - rows.begin()) / columns));
  }
  return columns;
}

/// log of the sum of exponentials.
double log_sum(std::span<const double> row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double value : row) {
    sum += std::exp(value - largest);
  }
  return largest + std::log(sum);
}

ClassScore score_of(const Confusion& confusion, int64_t c) {
  int64_t truth = 0;
  int64_t predicted = 0;
  for (int64_t other = 0; other < confusion.classes(); ++other) {
    truth += confusion.at(c, other);
    predicted += confusion.at(other, c);
  }
  const auto hits = static_cast<double>(confusion.at(c, c));
  return {share(hits, static_cast<double>(predicted)),
          share(hits, static_cast<double>(truth)),
          share(2 * hits, static_cast<double>(truth + predicted)),
          truth};
}

bool is_predicted(const Confusion& confusion, int64_t c) {
  for (int64_t truth = 0; truth < confusion.classes(); ++truth) {
    if (confusion.at(truth, c) > 0) {
      return true;
    }
  }
  return false;
}

void add_weighted(ClassScore& sum, const ClassScore& one, double weight) {
  sum.precision += weight * one.precision;
  sum.recall += weight * one.recall;
  sum.f1 += weight * one.f1;
}

}  // namespace

ClassScores class_scores(const Confusion& confusion) {
  ClassScores result;
  std::vector<size_t> met;
  for (int64_t c = 0; c < confusion.classes(); ++c) {
    result.classes.push_back(score_of(confusion, c));
    if (result.classes.back().support > 0 || is_predicted(confusion, c)) {
      met.push_back(static_cast<size_t>(c));
    }
  }
  const int64_t total = confusion.total();
  for (const size_t c : met) {
    const ClassScore& one = result.classes[c];
    add_weighted(result.macro, one, 1.0 / static_cast<double>(met.size()));
    add_weighted(
        result.weighted, one, static_cast<double>(one.support) / static_cast<double>(total));
  }
  result.macro.support = result.weighted.support = total;
  return result;
}

double top_k_accuracy(std::span<const double> scores, std::span<const int64_t> truth, int64_t k) {
  const size_t columns = columns_of(scores, truth);
  if (k < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("top-k accuracy: k is {}; pass at least 1", k));
  }
  int64_t hits = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto row = scores.subspan(i * columns, columns);
    const auto own = static_cast<size_t>(truth[i]);
    int64_t above = 0;
    for (size_t c = 0; c < columns; ++c) {
      above += row[c] > row[own] || (row[c] == row[own] && c < own) ? 1 : 0;
    }
    hits += above < k ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(truth.size());
}

std::vector<double> softmax(std::span<const double> logits, std::span<const int64_t> truth) {
  const size_t columns = columns_of(logits, truth);
  std::vector<double> result;
  result.reserve(logits.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto row = logits.subspan(i * columns, columns);
    const double log_total = log_sum(row);
    for (const double value : row) {
      result.push_back(std::min(1.0, std::exp(value - log_total)));
    }
  }
  return result;
}

double negative_log_likelihood(std::span<const double> logits, std::span<const int64_t> truth) {
  const size_t columns = columns_of(logits, truth);
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto row = logits.subspan(i * columns, columns);
    sum += log_sum(row) - row[static_cast<size_t>(truth[i])];
  }
  return sum / static_cast<double>(truth.size());
}

double brier_score(std::span<const double> probabilities, std::span<const int64_t> truth) {
  const size_t columns = columns_of(probabilities, truth);
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    for (size_t c = 0; c < columns; ++c) {
      const double wanted = static_cast<int64_t>(c) == truth[i] ? 1 : 0;
      const double gap = probabilities[i * columns + c] - wanted;
      sum += gap * gap;
    }
  }
  return sum / static_cast<double>(truth.size());
}

}  // namespace coppice::monitor
