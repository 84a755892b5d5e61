#include "monitor/regression.h"

#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

[[noreturn]] void refuse_regression(core::ErrorKind kind, const std::string& what) {
  throw core::Error(kind, "regression metric: " + what);
}

}  // namespace

Regression::Regression(int64_t outputs) {
  if (outputs < 1) {
    refuse_regression(core::ErrorKind::InvalidArgument,
                      fmt::format("{} outputs; pass at least 1", outputs));
  }
  for (auto* statistics : {&errors_, &absolute_, &squared_, &truth_}) {
    statistics->resize(static_cast<size_t>(outputs));
  }
}

void Regression::add(std::span<const double> truth, std::span<const double> prediction) {
  if (truth.size() != prediction.size() || truth.size() % errors_.size() != 0) {
    refuse_regression(core::ErrorKind::InvalidArgument,
                      fmt::format("{} true values and {} predictions for {} outputs",
                                  truth.size(),
                                  prediction.size(),
                                  errors_.size()));
  }
  for (size_t i = 0; i < truth.size(); ++i) {
    if (!std::isfinite(truth[i]) || !std::isfinite(prediction[i])) {
      refuse_regression(core::ErrorKind::Numeric,
                        fmt::format("sample {}, output {}: truth {}, prediction {}",
                                    samples() + static_cast<int64_t>(i / errors_.size()),
                                    i % errors_.size(),
                                    truth[i],
                                    prediction[i]));
    }
  }
  for (size_t i = 0; i < truth.size(); ++i) {
    const size_t output = i % errors_.size();
    const double error = prediction[i] - truth[i];
    errors_[output].add(error);
    absolute_[output].add(std::abs(error));
    squared_[output].add(error * error);
    truth_[output].add(truth[i]);
  }
}

RegressionScore Regression::score(int64_t output) const {
  if (output < 0 || output >= outputs()) {
    refuse_regression(core::ErrorKind::InvalidArgument,
                      fmt::format("output {} of {}", output, outputs()));
  }
  const auto o = static_cast<size_t>(output);
  const auto n = static_cast<double>(truth_[o].count());
  const double variance = n > 1 ? truth_[o].variance() * (n - 1) / n : 0;
  const double squared = squared_[o].mean();
  return {.mae = absolute_[o].mean(),
          .rmse = std::sqrt(squared),
          .r2 = variance > 0 ? 1 - squared / variance : (squared > 0 || n == 0 ? 0.0 : 1.0),
          .bias = errors_[o].mean()};
}

RegressionScore Regression::mean() const {
  RegressionScore sum;
  const auto outputs = static_cast<double>(errors_.size());
  for (int64_t o = 0; o < this->outputs(); ++o) {
    const RegressionScore one = score(o);
    sum.mae += one.mae / outputs;
    sum.rmse += one.rmse / outputs;
    sum.r2 += one.r2 / outputs;
    sum.bias += one.bias / outputs;
  }
  return sum;
}

}  // namespace coppice::monitor
