#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/transform.h"
#include "graph/zoo.h"

namespace coppice::recipe {

struct OptimizerOptions {
  std::string name = "sgd";           ///< "sgd", "adam", "adamw"
  double learning_rate = 0.1;
  double momentum = 0.9;              ///< sgd
  bool nesterov = true;               ///< sgd
  double beta1 = 0.9;                 ///< adam, adamw
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 5e-4;         ///< L2 for sgd and adam, decoupled for adamw; not applied to BN and biases

  void visit(core::Fields& f);
};

struct ScheduleOptions {
  std::string name = "cosine";        ///< "constant", "step", "cosine", "one_cycle"
  double warmup_epochs = 0;           ///< linear from 0
  double final_share = 0.01;          ///< cosine, one_cycle: last learning rate as a share of the first
  int64_t step_epochs = 10;           ///< step: epochs between drops
  double step_factor = 0.1;           ///< step: multiplied in at every drop

  void visit(core::Fields& f);
};

/// Soft targets of a teacher (Hinton et al., 2015): loss = (1 - alpha) CE(labels) + alpha T^2 KL(teacher_T || student_T).
/// Used when the job is given a teacher.
struct DistilOptions {
  double temperature = 4;
  double alpha = 0.7;
  std::string on = "all";             ///< "all" samples, or "replay": only replayed ones, as the teacher does not know the new

  void visit(core::Fields& f);
};

/// How one network is trained.
struct TrainOptions {
  int64_t epochs = 10;
  int64_t steps_per_epoch = 0;        ///< 0: one pass over `train`; else so many steps, going round as often as needed
  int64_t batch_size = 128;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  DistilOptions distil;
  double label_smoothing = 0;
  double gradient_clip = 0;           ///< largest global norm; 0: off
  std::vector<data::TransformOptions> augmentation;
  std::vector<std::string> strategies;  ///< named train::Strategy hooks, in order
  double replay_share = 0.5;          ///< of each batch drawn from the `replay` input, when the job is given one
  int64_t threads = 0;                ///< 0: all cores

  void visit(core::Fields& f);
};

/// Job kind "train". Inputs: `train` (data-set version), optional `validation`, `replay` (data-set versions), `model` (ONNX to
/// start from instead of building one), `teacher` (ONNX). Outputs: model.onnx, summary.json, metrics.jsonl, report.html.
struct TrainJob {
  graph::ModelOptions model;          ///< ignored when a `model` input is given
  TrainOptions train;

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
