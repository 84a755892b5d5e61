#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/transform.h"
#include "graph/zoo.h"
#include "recipe/checkpoint.h"
#include "recipe/distil.h"
#include "recipe/optimizer.h"
#include "recipe/qat.h"
#include "recipe/regularise.h"
#include "recipe/schedule.h"
#include "recipe/structure.h"
#include "recipe/task.h"

namespace coppice::recipe {

/// How one network is trained.
struct TrainOptions {
  int64_t epochs = 10;
  int64_t steps_per_epoch =
      0;  ///< 0: one pass over `train`; else so many steps, going round as often as needed
  int64_t batch_size = 128;
  TaskOptions task;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  DistilOptions distil;
  double label_smoothing = 0;
  double gradient_clip = 0;        ///< largest global norm; 0: off
  double gradient_clip_value = 0;  ///< largest magnitude of an element; 0: off
  PenaltyOptions penalty;
  std::vector<data::TransformOptions> augmentation;
  MixOptions mix;                ///< of whole batches, after `augmentation`
  double sam_rho = 0;            ///< radius of sharpness-aware minimisation; 0: off
  double ema_decay = 0;          ///< of the weights' moving average, which is what is kept; 0: off
  std::string keep = "nothing";  ///< of the incoming model: "zeros" or "shared" weights
  SparsityOptions sparsity;      ///< that grows while training
  EarlyStoppingOptions early_stopping;
  CheckpointOptions checkpoint;
  QatOptions qat;                       ///< int8 simulated in training; the result is int8 then
  std::vector<std::string> strategies;  ///< named train::Strategy hooks, in order
  double replay_share =
      0.5;              ///< of each batch drawn from the `replay` input, when the job is given one
  int64_t threads = 0;  ///< 0: as many cores as the network keeps busy
  std::string device = "auto";        ///< "cpu", "cuda", or "auto": a GPU where there is one
  std::string precision = "float32";  ///< of products: "bfloat16", or "auto": where it is fast

  void visit(core::Fields& f);
};

/// A network that is there already, to start from in place of one of the zoo.
struct ImportedOptions {
  std::string onnx;          ///< file; empty: none
  std::vector<double> mean;  ///< per channel, taken off raw values before the network; empty: the
                             ///< training set's, where it takes f32 and samples are u8
  std::vector<double> std;   ///< that they are divided by then

  void visit(core::Fields& f);
};

/// Job kind "train". Inputs: `train` (data-set version), optional `validation`, `replay` (data-set
/// versions), `model` (ONNX to start from instead of building one), `teacher`, `teacher2`, …
/// (ONNX). Outputs: model.onnx, summary.json, metrics.jsonl, report.html.
struct TrainJob {
  graph::ModelOptions model;  ///< ignored when a `model` input is given
  TrainOptions train;
  ImportedOptions imported = {};  ///< `onnx` becomes the `model` input; a job reads the others

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
