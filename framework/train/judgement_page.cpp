#include "train/judgement_page.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "report/chart.h"
#include "report/figure.h"

namespace coppice::train {

namespace {

constexpr size_t kMostClasses = 50;  // rows of the table; a page of a thousand helps nobody
constexpr size_t kMostTargets = 4;   // pairs of pictures
constexpr int kHalfWidth = 500;      // px, of two pictures beside each other

std::string figure_text(double value) {
  return std::isnan(value) ? "–" : fmt::format("{:.4f}", value);
}

report::ChartOptions half_chart(std::string title, std::string x_label, std::string y_label) {
  report::ChartOptions options;
  options.title = std::move(title);
  options.x_label = std::move(x_label);
  options.y_label = std::move(y_label);
  options.width = kHalfWidth;
  options.height = 400;
  return options;
}

std::vector<std::string> class_row(const std::string& name,
                                   const monitor::ClassScore& score,
                                   double auroc) {
  return {name,
          std::to_string(score.support),
          figure_text(score.precision),
          figure_text(score.recall),
          figure_text(score.f1),
          figure_text(auroc)};
}

void add_class_table(report::HtmlReport& page, const Judgement& judgement) {
  std::vector<size_t> order(judgement.class_names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto& scores = judgement.classes.classes;
  if (order.size() > kMostClasses) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return scores[a].f1 < scores[b].f1;
    });
    order.resize(kMostClasses);
    page.text(fmt::format(
        "The {} classes of the lowest F1, of {}.", kMostClasses, judgement.class_names.size()));
  }
  std::vector<std::vector<std::string>> rows;
  for (const size_t c : order) {
    rows.push_back(class_row(judgement.class_names[c], scores[c], judgement.class_auroc[c]));
  }
  const double auroc = monitor::mean_of_numbers(judgement.class_auroc);
  rows.push_back(class_row("macro mean", judgement.classes.macro, auroc));
  rows.push_back(class_row("weighted mean", judgement.classes.weighted, std::nan("")));
  page.table({"class", "samples", "precision", "recall", "F1", "AUROC, one against the rest"},
             rows);
}

void add_classes(report::HtmlReport& page, const Judgement& judgement, const std::string& data) {
  std::vector<report::ReliabilityBin> bins;
  for (const auto& bin : judgement.reliability) {
    bins.push_back({bin.low, bin.high, bin.count, bin.confidence, bin.accuracy});
  }
  page.section("Confusion and calibration, " + data)
      .side_by_side(
          {report::confusion_chart(judgement.confusion, judgement.class_names, "confusion"),
           report::reliability_chart(
               bins,
               half_chart(fmt::format("reliability, ECE {:.4f}", judgement.figures.at("ece")),
                          "confidence in the predicted class",
                          "accuracy"))});
  page.section("Classes, " + data);
  add_class_table(page, judgement);
}

void add_target_table(report::HtmlReport& page, const Judgement& judgement) {
  std::vector<std::vector<std::string>> rows;
  const auto row = [](const std::string& name, double mae, double rmse, double r2, double bias) {
    return std::vector<std::string>{name,
                                    fmt::format("{:.4g}", mae),
                                    fmt::format("{:.4g}", rmse),
                                    fmt::format("{:.4f}", r2),
                                    fmt::format("{:+.4g}", bias)};
  };
  for (size_t o = 0; o < judgement.targets.size(); ++o) {
    const auto& t = judgement.targets[o];
    rows.push_back(row(judgement.target_names[o], t.mae, t.rmse, t.r2, t.bias));
  }
  if (rows.size() > 1) {
    const auto& f = judgement.figures;
    rows.push_back(row("mean", f.at("mae"), f.at("rmse"), f.at("r2"), f.at("bias")));
  }
  page.table({"target", "MAE", "RMSE", "R²", "bias"}, rows);
}

void add_targets(report::HtmlReport& page, const Judgement& judgement, const std::string& data) {
  page.section("Targets, " + data);
  add_target_table(page, judgement);
  for (size_t o = 0; o < std::min(judgement.targets.size(), kMostTargets); ++o) {
    const std::string& name = judgement.target_names[o];
    const auto& truth = judgement.true_values[o];
    const auto& predicted = judgement.predicted_values[o];
    std::vector<double> residuals;
    for (size_t i = 0; i < truth.size(); ++i) {
      residuals.push_back(predicted[i] - truth[i]);
    }
    auto over_truth =
        half_chart(name + ": predicted over true", "true " + name, "predicted " + name);
    over_truth.diagonal = true;
    page.side_by_side(
        {report::scatter_chart({{"samples", truth, predicted}}, over_truth),
         report::scatter_chart(
             {{"samples", predicted, residuals}},
             half_chart(name + ": residuals", "predicted " + name, "predicted minus true"))});
  }
  if (judgement.targets.size() > kMostTargets) {
    page.text(fmt::format(
        "Pictures of the first {} of {} targets.", kMostTargets, judgement.targets.size()));
  }
}

std::string error_histogram(const Judgement& judgement) {
  auto options = half_chart("reconstruction errors", "mean squared error of a sample", "share, %");
  std::vector<report::Series> series;
  const bool known = !judgement.anomaly_errors.empty();
  series.push_back({known ? "normal" : "all samples", {}, judgement.normal_errors});
  if (known) {
    series.push_back({"anomalies", {}, judgement.anomaly_errors});
  }
  // A few enormous errors must not press the rest into one bar.
  options.x_limit = 0;
  for (const auto* errors : {&judgement.normal_errors, &judgement.anomaly_errors}) {
    if (!errors->empty()) {
      options.x_limit = std::max(options.x_limit, 1.1 * monitor::quantile(*errors, 0.98));
    }
  }
  if (judgement.threshold) {
    options.x_limit = std::max(options.x_limit, 1.2 * *judgement.threshold);
    options.markers = {
        {*judgement.threshold, fmt::format("threshold {:.4g}", *judgement.threshold)}};
  }
  return report::histogram_chart(series, options);
}

std::string roc_chart(const Judgement& judgement) {
  report::Series curve{"this model", {}, {}};
  for (const auto& point : judgement.roc) {
    curve.x.push_back(point.false_positive_rate);
    curve.y.push_back(point.true_positive_rate);
  }
  std::vector<report::Series> series{std::move(curve), {"chance", {0, 1}, {0, 1}, true, 6}};
  if (judgement.anomalies) {
    series.push_back({"at the threshold",
                      {judgement.anomalies->false_alarm_rate},
                      {judgement.anomalies->recall},
                      false,
                      1});
  }
  return report::line_chart(
      series,
      half_chart(fmt::format("ROC, area {:.4f}", judgement.figures.at("auroc")),
                 "normal samples called anomalies",
                 "anomalies found"));
}

void add_errors_and_roc(report::HtmlReport& page,
                        const Judgement& judgement,
                        const std::string& data) {
  page.section("Reconstruction errors, " + data);
  if (judgement.roc.empty()) {
    page.svg(error_histogram(judgement));
  } else {
    page.side_by_side({error_histogram(judgement), roc_chart(judgement)});
  }
  if (judgement.anomalies) {
    const auto& a = *judgement.anomalies;
    page.table(
        {"truth", "called normal", "called anomaly"},
        {{"normal", std::to_string(a.normal - a.false_alarms), std::to_string(a.false_alarms)},
         {"anomaly", std::to_string(a.anomalies - a.hits), std::to_string(a.hits)}});
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> judgement_facts(const Judgement& judgement) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const char* name : {"accuracy",
                           "top5_accuracy",
                           "macro_f1",
                           "rmse",
                           "mae",
                           "r2",
                           "reconstruction_error",
                           "anomaly_threshold",
                           "f1",
                           "auroc",
                           "ece",
                           "loss"}) {
    if (const auto found = judgement.figures.find(name); found != judgement.figures.end()) {
      facts.emplace_back(name, report::format_figure(name, found->second));
    }
  }
  return facts;
}

void add_judgement(report::HtmlReport& page, const Judgement& judgement, const std::string& data) {
  if (judgement.options.task == "classification") {
    add_classes(page, judgement, data);
  } else if (judgement.options.task == "regression") {
    add_targets(page, judgement, data);
  } else {
    add_errors_and_roc(page, judgement, data);
  }
}

}  // namespace coppice::train
