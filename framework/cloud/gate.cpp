#include "cloud/gate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx.h"
#include "monitor/calibration.h"
#include "monitor/compare.h"
#include "monitor/confusion.h"

namespace coppice::cloud {

namespace {

constexpr int64_t kBatch = 64;

monitor::Confusion confusion(std::span<const int64_t> truth,
                             std::span<const int64_t> predicted,
                             int64_t classes) {
  monitor::Confusion result(classes);
  for (size_t i = 0; i < truth.size(); ++i) {
    result.add(truth[i], predicted[i]);
  }
  return result;
}

double calibration_error(std::span<const int64_t> truth, const Verdicts& verdicts) {
  std::vector<uint8_t> correct;
  for (size_t i = 0; i < truth.size(); ++i) {
    correct.push_back(truth[i] == verdicts.predicted[i] ? 1 : 0);
  }
  return monitor::expected_calibration_error(verdicts.confidence, correct);
}

/// Collects failed checks.
class Checks {
 public:
  explicit Checks(GateVerdict& verdict) : verdict_(verdict) {}

  void at_least(const std::string& what, double measured, double allowed) {
    require(measured >= allowed,
            fmt::format("{} is {:.4g}, at least {:.4g} is required", what, measured, allowed));
  }

  void at_most(const std::string& what, double measured, double allowed) {
    require(measured <= allowed,
            fmt::format("{} is {:.4g}, at most {:.4g} is allowed", what, measured, allowed));
  }

 private:
  void require(bool holds, std::string reason) {
    if (!holds) {
      verdict_.reasons.push_back(std::move(reason));
    }
  }

  GateVerdict& verdict_;
};

void compare_with_champion(const GateEvidence& evidence,
                           const GateOptions& options,
                           GateVerdict& verdict,
                           Checks& checks) {
  const auto held_out = monitor::compare_paired(
      evidence.truth, evidence.champion.predicted, evidence.challenger.predicted);
  verdict.metrics["champion_accuracy"] = held_out.first_accuracy;
  verdict.metrics["negative_flips"] =
      static_cast<double>(held_out.first_only) / static_cast<double>(held_out.samples);
  checks.at_most("the drop on the held-out set in points",
                 100 * (held_out.first_accuracy - held_out.second_accuracy),
                 options.max_drop_points);
  const auto before =
      confusion(evidence.truth, evidence.champion.predicted, evidence.classes).recall();
  const auto after =
      confusion(evidence.truth, evidence.challenger.predicted, evidence.classes).recall();
  double worst = 0;
  for (size_t c = 0; c < before.size(); ++c) {
    if (std::isfinite(before[c]) && std::isfinite(after[c])) {
      worst = std::max(worst, 100 * (before[c] - after[c]));
    }
  }
  verdict.metrics["worst_class_drop_points"] = worst;
  checks.at_most(
      "the worst drop of a class's recall in points", worst, options.max_class_drop_points);
  if (evidence.field_truth.empty()) {
    return;
  }
  const auto field = monitor::compare_paired(
      evidence.field_truth, evidence.field_champion.predicted, evidence.field_challenger.predicted);
  verdict.metrics["field_accuracy"] = field.second_accuracy;
  verdict.metrics["field_champion_accuracy"] = field.first_accuracy;
  verdict.metrics["field_p_value"] = field.p_value;
  if (field.p_value < options.significance) {
    checks.at_most("the drop on field samples in points",
                   100 * (field.first_accuracy - field.second_accuracy),
                   options.max_field_drop_points);
  }
}

}  // namespace

void GateOptions::visit(core::Fields& f) {
  f.field("min_accuracy",
          min_accuracy,
          {.help = "accuracy on the held-out set, of the classes in the training data",
           .min = 0,
           .max = 1});
  f.field("max_drop_points",
          max_drop_points,
          {.help = "drop against the model in the field on the held-out set",
           .unit = "points",
           .min = 0,
           .max = 100});
  f.field("max_field_drop_points",
          max_field_drop_points,
          {.help = "drop against it on held-out field samples, where it is no chance",
           .unit = "points",
           .min = 0,
           .max = 100});
  f.field("significance",
          significance,
          {.help = "p value of McNemar's test under which a field drop is no chance",
           .min = 0,
           .max = 1});
  f.field("max_class_drop_points",
          max_class_drop_points,
          {.help = "drop of any class's recall on the held-out set",
           .unit = "points",
           .min = 0,
           .max = 100});
  f.field("max_calibration_error",
          max_calibration_error,
          {.help = "expected calibration error on the held-out set", .min = 0, .max = 1});
  f.field("max_bytes",
          max_bytes,
          {.help = "size of the artefact", .unit = "bytes", .min = 1, .max = 1e12});
  f.field("max_latency_us",
          max_latency_us,
          {.help = "median time of one inference with the device engine",
           .unit = "us",
           .min = 0,
           .max = 1e9});
  f.field("judge_latency",
          judge_latency,
          {.help = "off: latency is reported but not judged (on machines that are not quiet)"});
}

Verdicts run_artefact(std::span<const std::byte> artefact,
                      const data::Dataset& dataset,
                      const runtime::EngineOptions& engine_options) {
  auto options = engine_options;
  options.max_batch = kBatch;
  const auto engine = runtime::build_engine(graph::from_onnx(artefact), options);
  const auto inputs = engine->model().graph.inputs();
  if (inputs.size() != 1) {
    throw core::Error(core::ErrorKind::Unsupported, "an artefact must have one input");
  }
  graph::Shape shape = inputs.front()->shape;
  Verdicts verdicts;
  data::Batch batch;
  std::vector<int64_t> indices;
  for (int64_t start = 0; start < dataset.size(); start += 16 * kBatch) {
    indices.resize(static_cast<size_t>(std::min(16 * kBatch, dataset.size() - start)));
    std::iota(indices.begin(), indices.end(), start);
    dataset.read(indices, batch);
    shape.front() = batch.size;
    graph::Tensor samples(inputs.front()->dtype, shape);
    if (samples.bytes_size() != static_cast<int64_t>(batch.samples.size())) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("the artefact's input {} does not fit samples of {} bytes",
                                    graph::to_string(shape),
                                    dataset.schema().sample_bytes()));
    }
    std::memcpy(samples.bytes(), batch.samples.data(), batch.samples.size());
    const graph::Tensor logits = runtime::run_all(*engine, samples, kBatch);
    const graph::Tensor probabilities = runtime::softmax_rows(logits);
    const auto labels = runtime::argmax_rows(logits);
    const auto classes = static_cast<size_t>(logits.dim(1));
    for (size_t i = 0; i < labels.size(); ++i) {
      verdicts.predicted.push_back(labels[i]);
      verdicts.confidence.push_back(
          probabilities.data<float>()[i * classes + static_cast<size_t>(labels[i])]);
    }
  }
  return verdicts;
}

GateVerdict decide_gate(const GateEvidence& evidence, const GateOptions& options) {
  COPPICE_CHECK(
      !evidence.truth.empty() && evidence.truth.size() == evidence.challenger.predicted.size(),
      "the gate needs one prediction per held-out sample");
  GateVerdict verdict;
  Checks checks(verdict);
  const auto table = confusion(evidence.truth, evidence.challenger.predicted, evidence.classes);
  verdict.metrics["accuracy"] = table.accuracy();
  verdict.metrics["calibration_error"] = calibration_error(evidence.truth, evidence.challenger);
  verdict.metrics["bytes"] = static_cast<double>(evidence.bytes);
  verdict.metrics["latency_us"] = evidence.latency_us;
  checks.at_least("accuracy on the held-out set", table.accuracy(), options.min_accuracy);
  checks.at_most(
      "the calibration error", verdict.metrics["calibration_error"], options.max_calibration_error);
  checks.at_most("the artefact's size in bytes",
                 verdict.metrics["bytes"],
                 static_cast<double>(options.max_bytes));
  if (options.judge_latency) {
    checks.at_most("the median latency in us", evidence.latency_us, options.max_latency_us);
  }
  if (!evidence.champion.predicted.empty()) {
    compare_with_champion(evidence, options, verdict, checks);
  }
  verdict.passed = verdict.reasons.empty();
  return verdict;
}

}  // namespace coppice::cloud
