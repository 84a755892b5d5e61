#include "train/judgement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"

namespace coppice::train {

namespace {

constexpr std::array<std::string_view, 3> kTasks{"classification", "regression", "reconstruction"};
constexpr std::array<std::string_view, 4> kLosses{"cross_entropy", "mse", "mae", "huber"};
constexpr int64_t kTopK = 5;

[[noreturn]] void refuse_judging(const std::string& what) {
  throw core::Error(core::ErrorKind::InvalidArgument, "evaluation: " + what);
}

template <class Names>
void require_known(std::string_view what, const std::string& name, const Names& names) {
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    refuse_judging(fmt::format("unknown {} '{}'{}: valid are {}",
                               what,
                               name,
                               core::did_you_mean(name, names),
                               fmt::join(names, ", ")));
  }
}

/// The widest truth of one sample, or the widest output, that `values` can hold in equal rows.
size_t width_of(std::span<const float> values, const data::Batch& batch) {
  const auto rows = static_cast<size_t>(batch.size);
  if (rows == 0 || values.size() % rows != 0) {
    refuse_judging(fmt::format("{} outputs for {} samples", values.size(), batch.size));
  }
  return values.size() / rows;
}

void require_finite(std::span<const float> values, const data::Batch& batch, size_t width) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != values.end()) {
    const auto row = static_cast<size_t>(bad - values.begin()) / width;
    throw core::Error(core::ErrorKind::Numeric,
                      fmt::format("evaluation: the model's output for sample {} is {}; look at the "
                                  "sample, or train with a lower learning rate",
                                  batch.ids[row],
                                  *bad));
  }
}

std::vector<double> largest_of_rows(const std::vector<double>& rows, size_t count) {
  const auto width = static_cast<std::ptrdiff_t>(rows.size() / count);
  std::vector<double> result;
  for (auto row = rows.begin(); row != rows.end(); row += width) {
    result.push_back(*std::max_element(row, row + width));
  }
  return result;
}

std::vector<int64_t> argmax_of_rows(const std::vector<double>& rows, size_t count) {
  const auto width = static_cast<std::ptrdiff_t>(rows.size() / count);
  std::vector<int64_t> result;
  for (auto row = rows.begin(); row != rows.end(); row += width) {
    result.push_back(std::max_element(row, row + width) - row);
  }
  return result;
}

void add_scores(std::map<std::string, double>& figures,
                const std::string& prefix,
                const std::string& suffix,
                const monitor::ClassScore& score) {
  figures[prefix + "precision" + suffix] = score.precision;
  figures[prefix + "recall" + suffix] = score.recall;
  figures[prefix + "f1" + suffix] = score.f1;
}

void add_number(std::map<std::string, double>& figures, const std::string& name, double value) {
  if (std::isfinite(value)) {
    figures[name] = value;
  }
}

double mean_average_precision(const std::vector<double>& probabilities,
                              const std::vector<int64_t>& labels) {
  const size_t classes = probabilities.size() / labels.size();
  std::vector<double> each;
  std::vector<double> score(labels.size());
  std::vector<uint8_t> own(labels.size());
  for (size_t c = 0; c < classes; ++c) {
    for (size_t i = 0; i < labels.size(); ++i) {
      score[i] = probabilities[i * classes + c];
      own[i] = labels[i] == static_cast<int64_t>(c) ? 1 : 0;
    }
    each.push_back(monitor::average_precision(score, own));
  }
  return monitor::mean_of_numbers(each);
}

void judge_classes(const Predictions& predictions, Judgement& result) {
  const auto& labels = predictions.labels();
  const auto& logits = predictions.outputs();
  const size_t classes = predictions.class_names().size();
  const std::vector<double> probabilities = monitor::softmax(logits, labels);
  const std::vector<double> confidence = largest_of_rows(probabilities, labels.size());
  const std::vector<int64_t> predicted = argmax_of_rows(logits, labels.size());
  monitor::Confusion confusion(static_cast<int64_t>(classes));
  std::vector<uint8_t> correct;
  result.confusion.assign(classes, std::vector<double>(classes, 0));
  for (size_t i = 0; i < labels.size(); ++i) {
    confusion.add(labels[i], predicted[i]);
    correct.push_back(labels[i] == predicted[i] ? 1 : 0);
    result.confusion[static_cast<size_t>(labels[i])][static_cast<size_t>(predicted[i])] += 1;
  }
  result.classes = monitor::class_scores(confusion);
  result.class_auroc = monitor::one_vs_rest_auroc(probabilities, labels);
  result.reliability = monitor::calibration_bins(confidence, correct);

  auto& figures = result.figures;
  add_scores(figures, "macro_", "", result.classes.macro);
  add_scores(figures, "weighted_", "", result.classes.weighted);
  add_number(figures, "auroc", monitor::mean_of_numbers(result.class_auroc));
  add_number(figures, "average_precision", mean_average_precision(probabilities, labels));
  figures["ece"] = monitor::calibration_error(result.reliability);
  figures["adaptive_ece"] = monitor::adaptive_calibration_error(confidence, correct);
  figures["brier"] = monitor::brier_score(probabilities, labels);
  for (size_t c = 0; c < classes; ++c) {
    const auto& score = result.classes.classes[c];
    if (score.support > 0) {
      add_scores(figures, "", "." + predictions.class_names()[c], score);
    }
    add_number(figures, "auroc." + predictions.class_names()[c], result.class_auroc[c]);
  }
}

monitor::Regression regression_of(const Predictions& predictions) {
  monitor::Regression regression(static_cast<int64_t>(predictions.target_names().size()));
  regression.add(predictions.targets(), predictions.outputs());
  return regression;
}

void add_errors(std::map<std::string, double>& figures,
                const std::string& suffix,
                const monitor::RegressionScore& score) {
  figures["mae" + suffix] = score.mae;
  figures["rmse" + suffix] = score.rmse;
  figures["r2" + suffix] = score.r2;
  figures["bias" + suffix] = score.bias;
}

void add_points(const Predictions& predictions, Judgement& result) {
  const size_t targets = predictions.target_names().size();
  const auto step = static_cast<size_t>((predictions.samples() + kMostPoints - 1) / kMostPoints);
  result.true_values.resize(targets);
  result.predicted_values.resize(targets);
  for (size_t i = 0; i < predictions.ids().size(); i += step) {
    for (size_t o = 0; o < targets; ++o) {
      result.true_values[o].push_back(predictions.targets()[i * targets + o]);
      result.predicted_values[o].push_back(predictions.outputs()[i * targets + o]);
    }
  }
}

void judge_values(const Predictions& predictions, Judgement& result) {
  const monitor::Regression regression = regression_of(predictions);
  add_errors(result.figures, "", regression.mean());
  add_points(predictions, result);
  for (int64_t o = 0; o < regression.outputs(); ++o) {
    result.targets.push_back(regression.score(o));
    if (regression.outputs() > 1) {
      add_errors(result.figures,
                 "." + predictions.target_names()[static_cast<size_t>(o)],
                 result.targets.back());
    }
  }
}

std::vector<int64_t> normal_labels(const Predictions& predictions, const AnomalyOptions& options) {
  const auto& names = predictions.class_names();
  if (options.normal_classes.empty()) {
    return {0};
  }
  std::vector<int64_t> labels;
  for (const std::string& name : options.normal_classes) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      refuse_judging(fmt::format("normal class '{}' is none of the data's{}: {}",
                                 name,
                                 core::did_you_mean(name, names),
                                 fmt::join(names, ", ")));
    }
    labels.push_back(found - names.begin());
  }
  return labels;
}

/// Errors whose kind is known, and their kinds.
struct Sorted {
  std::vector<double> errors;
  std::vector<uint8_t> anomalous;
};

Sorted sort_by_label(const Predictions& predictions,
                     const AnomalyOptions& options,
                     Judgement& result) {
  Sorted known;
  const std::vector<int64_t> normal = normal_labels(predictions, options);
  for (size_t i = 0; i < predictions.errors().size(); ++i) {
    const int64_t label = predictions.labels()[i];
    if (label < 0) {
      continue;
    }
    const bool anomalous = std::find(normal.begin(), normal.end(), label) == normal.end();
    known.errors.push_back(predictions.errors()[i]);
    known.anomalous.push_back(anomalous ? 1 : 0);
    (anomalous ? result.anomaly_errors : result.normal_errors).push_back(known.errors.back());
  }
  if (known.errors.empty()) {
    result.normal_errors = predictions.errors();
  }
  return known;
}

void judge_reconstructions(const Predictions& predictions,
                           const AnomalyOptions& options,
                           Judgement& result) {
  const auto& errors = predictions.errors();
  auto& figures = result.figures;
  const Sorted known = sort_by_label(predictions, options, result);
  result.threshold = options.threshold;
  if (options.threshold) {
    figures["anomaly_threshold"] = *options.threshold;
    const auto above = std::count_if(
        errors.begin(), errors.end(), [&](double error) { return error > *options.threshold; });
    figures["anomaly_share"] = static_cast<double>(above) / static_cast<double>(errors.size());
  }
  if (result.anomaly_errors.empty()) {
    return;
  }
  add_number(figures, "auroc", monitor::auroc(known.errors, known.anomalous));
  add_number(
      figures, "average_precision", monitor::average_precision(known.errors, known.anomalous));
  result.roc = monitor::roc_curve(known.errors, known.anomalous);
  if (options.threshold) {
    result.anomalies = monitor::anomaly_score(known.errors, known.anomalous, *options.threshold);
    figures["precision"] = result.anomalies->precision;
    figures["recall"] = result.anomalies->recall;
    figures["f1"] = result.anomalies->f1;
    figures["false_alarm_rate"] = result.anomalies->false_alarm_rate;
  }
}

}  // namespace

std::string_view main_metric(std::string_view task) {
  return task == "classification" ? "accuracy"
         : task == "regression"   ? "rmse"
                                  : "reconstruction_error";
}

Predictions::Predictions(JudgeOptions options, const data::Schema& schema)
    : options_(std::move(options)),
      class_names_(schema.class_names),
      target_names_(schema.target_names) {
  require_known("task", options_.task, kTasks);
  require_known("loss", options_.loss, kLosses);
  if (options_.task == "classification" && class_names_.empty()) {
    refuse_judging("the data has no classes; it is for " + schema.task);
  }
  if (options_.task == "regression" && target_names_.empty()) {
    refuse_judging("the data has no regression targets; it is for " + schema.task);
  }
}

void Predictions::add(const data::Batch& batch,
                      std::span<const float> outputs,
                      std::span<const float> target) {
  require_finite(outputs, batch, width_of(outputs, batch));
  if (options_.task == "classification") {
    add_classes(batch, outputs);
  } else if (options_.task == "regression") {
    add_values(batch, outputs);
  } else {
    add_reconstructions(batch, outputs, target);
  }
}

double Predictions::loss() const {
  return losses_.empty() ? 0
                         : std::accumulate(losses_.begin(), losses_.end(), 0.0) /
                               static_cast<double>(losses_.size());
}

void Predictions::add_classes(const data::Batch& batch, std::span<const float> outputs) {
  const size_t width = width_of(outputs, batch);
  if (width != class_names_.size()) {
    refuse_judging(fmt::format("{} logits for {} classes", width, class_names_.size()));
  }
  for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
    if (batch.labels[i] < 0) {
      continue;
    }
    const auto row = outputs.subspan(i * width, width);
    outputs_.insert(outputs_.end(), row.begin(), row.end());
    ids_.push_back(batch.ids[i]);
    labels_.push_back(batch.labels[i]);
    losses_.push_back(monitor::negative_log_likelihood(std::span(outputs_).last(width),
                                                       std::span(labels_).last(1)));
  }
}

double Predictions::loss_of(double gap) const {
  const double size = std::abs(gap);
  if (options_.loss == "mae") {
    return size;
  }
  if (options_.loss == "huber" && size > options_.huber_delta) {
    return options_.huber_delta * (size - 0.5 * options_.huber_delta);
  }
  return options_.loss == "huber" ? 0.5 * gap * gap : gap * gap;
}

void Predictions::add_values(const data::Batch& batch, std::span<const float> outputs) {
  const size_t width = width_of(outputs, batch);
  if (width != target_names_.size() || batch.targets.size() != outputs.size()) {
    refuse_judging(
        fmt::format("{} outputs per sample for {} targets", width, target_names_.size()));
  }
  outputs_.insert(outputs_.end(), outputs.begin(), outputs.end());
  targets_.insert(targets_.end(), batch.targets.begin(), batch.targets.end());
  for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
    double sum = 0;
    for (size_t j = i * width; j < (i + 1) * width; ++j) {
      sum += loss_of(static_cast<double>(outputs[j]) - static_cast<double>(batch.targets[j]));
    }
    losses_.push_back(sum / static_cast<double>(width));
    ids_.push_back(batch.ids[i]);
    labels_.push_back(-1);
  }
}

void Predictions::add_reconstructions(const data::Batch& batch,
                                      std::span<const float> outputs,
                                      std::span<const float> target) {
  const auto errors = monitor::reconstruction_errors(target, outputs, batch.size);
  const size_t width = width_of(outputs, batch);
  for (size_t i = 0; i < errors.size(); ++i) {
    double sum = 0;
    for (size_t j = i * width; j < (i + 1) * width; ++j) {
      sum += loss_of(static_cast<double>(outputs[j]) - static_cast<double>(target[j]));
    }
    losses_.push_back(sum / static_cast<double>(width));
    errors_.push_back(errors[i]);
    ids_.push_back(batch.ids[i]);
    labels_.push_back(batch.labels[i]);
  }
}

Judgement judge(const Predictions& predictions, const AnomalyOptions& anomaly) {
  if (predictions.samples() == 0) {
    refuse_judging(predictions.options().task == "classification"
                       ? "the data set to evaluate on has no labels"
                       : "the data set to evaluate on has no samples");
  }
  Judgement result;
  result.options = predictions.options();
  result.samples = predictions.samples();
  result.class_names = predictions.class_names();
  result.target_names = predictions.target_names();
  result.figures = quick_figures(predictions);
  if (result.options.task == "classification") {
    judge_classes(predictions, result);
  } else if (result.options.task == "regression") {
    judge_values(predictions, result);
  } else {
    judge_reconstructions(predictions, anomaly, result);
  }
  return result;
}

std::map<std::string, double> quick_figures(const Predictions& predictions) {
  std::map<std::string, double> figures{{"loss", predictions.loss()}};
  const std::string& task = predictions.options().task;
  if (task == "classification") {
    const auto top = [&](int64_t k) {
      return monitor::top_k_accuracy(predictions.outputs(), predictions.labels(), k);
    };
    figures["accuracy"] = top(1);
    if (static_cast<int64_t>(predictions.class_names().size()) > kTopK) {
      figures[fmt::format("top{}_accuracy", kTopK)] = top(kTopK);
    }
  } else if (task == "regression") {
    add_errors(figures, "", regression_of(predictions).mean());
  } else {
    figures["reconstruction_error"] =
        std::accumulate(predictions.errors().begin(), predictions.errors().end(), 0.0) /
        static_cast<double>(std::max<size_t>(predictions.errors().size(), 1));
  }
  return figures;
}

}  // namespace coppice::train
