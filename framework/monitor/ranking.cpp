#include "monitor/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// How many samples of each kind score so much or more.
struct Step {
  double threshold = 0;
  int64_t positives = 0;
  int64_t negatives = 0;
};

/// One step per distinct score, from the highest to the lowest.
std::vector<Step> steps_down(std::span<const double> score, std::span<const uint8_t> positive) {
  if (score.size() != positive.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("ranking metric: {} scores for {} samples; pass one each",
                                  score.size(),
                                  positive.size()));
  }
  for (size_t i = 0; i < score.size(); ++i) {
    if (std::isnan(score[i])) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("ranking metric: the score of sample {} is NaN", i));
    }
  }
  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score[a] > score[b]; });
  std::vector<Step> steps;
  Step step;
  for (size_t i = 0; i < order.size(); ++i) {
    (positive[order[i]] != 0 ? step.positives : step.negatives) += 1;
    if (i + 1 == order.size() || score[order[i + 1]] != score[order[i]]) {
      step.threshold = score[order[i]];
      steps.push_back(step);
    }
  }
  return steps;
}

bool has_both(const std::vector<Step>& steps) {
  return !steps.empty() && steps.back().positives > 0 && steps.back().negatives > 0;
}

}  // namespace

double auroc(std::span<const double> score, std::span<const uint8_t> positive) {
  const auto steps = steps_down(score, positive);
  if (!has_both(steps)) {
    return kUndefined;
  }
  double area = 0;  // in pairs of a positive and a negative
  Step before;
  for (const Step& step : steps) {
    area += static_cast<double>(step.negatives - before.negatives) *
            (static_cast<double>(step.positives + before.positives) / 2);
    before = step;
  }
  return area / (static_cast<double>(before.positives) * static_cast<double>(before.negatives));
}

double average_precision(std::span<const double> score, std::span<const uint8_t> positive) {
  const auto steps = steps_down(score, positive);
  if (steps.empty() || steps.back().positives == 0) {
    return kUndefined;
  }
  double sum = 0;
  Step before;
  for (const Step& step : steps) {
    sum += static_cast<double>(step.positives - before.positives) *
           static_cast<double>(step.positives) /
           static_cast<double>(step.positives + step.negatives);
    before = step;
  }
  return sum / static_cast<double>(before.positives);
}

std::vector<RocPoint> roc_curve(std::span<const double> score, std::span<const uint8_t> positive) {
  auto steps = steps_down(score, positive);
  if (!has_both(steps)) {
    return {};
  }
  steps.insert(steps.begin(), Step{std::numeric_limits<double>::infinity(), 0, 0});
  std::vector<Step> corners;
  for (const Step& step : steps) {
    while (corners.size() >= 2) {
      const Step& last = corners.back();
      const Step& previous = corners[corners.size() - 2];
      const bool straight =
          (last.positives - previous.positives) * (step.negatives - previous.negatives) ==
          (step.positives - previous.positives) * (last.negatives - previous.negatives);
      if (!straight) {
        break;
      }
      corners.pop_back();
    }
    corners.push_back(step);
  }
  std::vector<RocPoint> curve;
  for (const Step& corner : corners) {
    curve.push_back(
        {static_cast<double>(corner.negatives) / static_cast<double>(steps.back().negatives),
         static_cast<double>(corner.positives) / static_cast<double>(steps.back().positives),
         corner.threshold});
  }
  return curve;
}

std::vector<double> one_vs_rest_auroc(std::span<const double> scores,
                                      std::span<const int64_t> truth) {
  if (truth.empty() || scores.size() % truth.size() != 0) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("ranking metric: {} scores for {} samples; pass one row each",
                                  scores.size(),
                                  truth.size()));
  }
  const size_t classes = scores.size() / truth.size();
  std::vector<double> result;
  std::vector<double> column(truth.size());
  std::vector<uint8_t> own(truth.size());
  for (size_t c = 0; c < classes; ++c) {
    for (size_t i = 0; i < truth.size(); ++i) {
      if (truth[i] < 0 || truth[i] >= static_cast<int64_t>(classes)) {
        throw core::Error(
            core::ErrorKind::InvalidArgument,
            fmt::format(
                "ranking metric: class {} of sample {} is outside [0, {})", truth[i], i, classes));
      }
      column[i] = scores[i * classes + c];
      own[i] = truth[i] == static_cast<int64_t>(c) ? 1 : 0;
    }
    result.push_back(auroc(column, own));
  }
  return result;
}

double mean_of_numbers(std::span<const double> values) {
  double sum = 0;
  int64_t count = 0;
  for (const double value : values) {
    if (!std::isnan(value)) {
      sum += value;
      ++count;
    }
  }
  return count == 0 ? kUndefined : sum / static_cast<double>(count);
}

}  // namespace coppice::monitor
