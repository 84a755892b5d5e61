#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::train {

/// Job kind "evaluate". Inputs: `model` (ONNX), `data` (data-set version), and for reconstruction
/// optionally `validation` (data-set version), whose errors set the threshold. Outputs:
/// summary.json, metrics.jsonl (one row), report.html. The task is the model's.
struct EvaluateOptions {
  std::string backend = "first";
  int64_t batch_size = 64;
  int64_t threads = 1;
  std::string loss = "auto";
  double huber_delta = 1;
  double anomaly_quantile = 0.99;
  double threshold = 0;
  std::vector<std::string> normal_classes;

  void visit(core::Fields& f) {
    f.field("backend", backend, {.help = "of the device engine; see runtime::EngineOptions"});
    f.field("batch_size", batch_size, {.help = "samples in a run", .min = 1, .max = 65536});
    f.field("threads", threads, {.help = "threads of the engine", .min = 1, .max = 1024});
    f.field("loss",
            loss,
            {.help = "the figure 'loss'; auto: cross_entropy for classification, else mse",
             .choices = {"auto", "cross_entropy", "mse", "mae", "huber"}});
    f.field("huber_delta",
            huber_delta,
            {.help = "huber: quadratic below, linear above", .min = 1e-9, .max = 1e9});
    f.field("anomaly_quantile",
            anomaly_quantile,
            {.help = "reconstruction: errors above this quantile of the validation data's are "
                     "anomalies",
             .min = 0,
             .max = 1});
    f.field("threshold",
            threshold,
            {.help = "reconstruction: of the error, when there is no validation data; 0: the "
                     "model's own",
             .min = 0});
    f.field("normal_classes",
            normal_classes,
            {.help = "reconstruction: all others are anomalies; empty: the first class is normal"});
  }
};

}  // namespace coppice::train
