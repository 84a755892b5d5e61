#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "monitor/anomaly.h"
#include "monitor/calibration.h"
#include "monitor/classification.h"
#include "monitor/ranking.h"
#include "monitor/regression.h"

namespace coppice::train {

/// What is judged, and by which loss; "auto" is resolved before.
struct JudgeOptions {
  std::string task = "classification";  ///< "classification", "regression", "reconstruction"
  std::string loss = "cross_entropy";   ///< of classification; else "mse", "mae" or "huber"
  double huber_delta = 1;               ///< huber: quadratic below, linear above
};

/// The figure that a task is judged by first: "accuracy", "rmse", "reconstruction_error".
std::string_view main_metric(std::string_view task);

/// What a model says of samples, beside the truth. Free of tensors: filled from a network in
/// training or from a device engine. Samples without a known class are left out of classification.
class Predictions {
 public:
  /// Throws Error{InvalidArgument} for an unknown task or loss, or a task that the data has no
  /// truth for.
  Predictions(JudgeOptions options, const data::Schema& schema);

  /// `outputs`: the model's first output, row-major. `target`: of reconstruction, what it is to
  /// equal, as large. Throws Error{InvalidArgument} for sizes that do not fit, Error{Numeric} for a
  /// value that is not finite, naming the sample.
  void add(const data::Batch& batch,
           std::span<const float> outputs,
           std::span<const float> target = {});

  const JudgeOptions& options() const { return options_; }

  int64_t samples() const { return static_cast<int64_t>(losses_.size()); }

  double loss() const;  ///< mean over the samples; 0 without any

  const std::vector<std::string>& class_names() const { return class_names_; }

  const std::vector<std::string>& target_names() const { return target_names_; }

  const std::vector<int64_t>& ids() const { return ids_; }  ///< [n]: batch.ids

  const std::vector<int64_t>& labels() const { return labels_; }  ///< [n]; -1 where unknown

  const std::vector<double>& outputs() const { return outputs_; }  ///< [n, k]: logits or values

  const std::vector<double>& targets() const { return targets_; }  ///< [n, k]: regression

  const std::vector<double>& errors() const { return errors_; }  ///< [n]: reconstruction, squared

 private:
  void add_classes(const data::Batch& batch, std::span<const float> outputs);
  void add_values(const data::Batch& batch, std::span<const float> outputs);
  void add_reconstructions(const data::Batch& batch,
                           std::span<const float> outputs,
                           std::span<const float> target);
  double loss_of(double gap) const;

  JudgeOptions options_;
  std::vector<std::string> class_names_;
  std::vector<std::string> target_names_;
  std::vector<double> losses_;
  std::vector<int64_t> ids_;
  std::vector<int64_t> labels_;
  std::vector<double> outputs_;
  std::vector<double> targets_;
  std::vector<double> errors_;
};

/// What reconstruction is judged by besides the errors.
struct AnomalyOptions {
  std::optional<double> threshold;          ///< errors above are anomalies
  std::vector<std::string> normal_classes;  ///< all other classes are anomalies; empty: the first
};

/// Figures by name, all finite, and what the pictures of a report show.
///
/// classification: loss (nats), accuracy, top5_accuracy (above 5 classes), macro_ and weighted_
/// precision, recall and f1, auroc and average_precision (means over classes against the rest),
/// ece, adaptive_ece, brier, and per class precision.<name>, recall.<name>, f1.<name>,
/// auroc.<name>. regression: loss, mae, rmse, r2, bias (means over outputs), and per output, where
/// there are several, mae.<name>, … reconstruction: loss, reconstruction_error; with a threshold
/// `threshold` and anomaly_share; with labels auroc and average_precision; with both precision,
/// recall, f1 and false_alarm_rate. Figures that are undefined (a class without samples) are left
/// out.
struct Judgement {
  JudgeOptions options;
  int64_t samples = 0;
  std::map<std::string, double> figures;

  std::vector<std::string> class_names;
  std::vector<std::vector<double>> confusion;  ///< [truth][prediction]
  monitor::ClassScores classes;
  std::vector<double> class_auroc;  ///< NaN where undefined
  std::vector<monitor::CalibrationBin> reliability;

  std::vector<std::string> target_names;
  std::vector<monitor::RegressionScore> targets;
  /// [target][point]: at most kMostPoints samples, evenly spaced.
  std::vector<std::vector<double>> true_values;
  std::vector<std::vector<double>> predicted_values;

  std::optional<double> threshold;
  std::optional<monitor::AnomalyScore> anomalies;  ///< where labels and a threshold are known
  std::vector<double> normal_errors;               ///< all errors where no label is known
  std::vector<double> anomaly_errors;
  std::vector<monitor::RocPoint> roc;
};

/// Points of a scatter plot; more show nothing more.
inline constexpr int64_t kMostPoints = 1500;

/// Throws Error{InvalidArgument} without a sample whose truth is known, or for a class in
/// `anomaly.normal_classes` that the data does not have.
Judgement judge(const Predictions& predictions, const AnomalyOptions& anomaly = {});

/// Loss and the figures that cost next to nothing, for every epoch: accuracy, top5_accuracy; mae,
/// rmse, r2; reconstruction_error.
std::map<std::string, double> quick_figures(const Predictions& predictions);

}  // namespace coppice::train
