#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "loop/options.h"
#include "loop/stage_options.h"
#include "runtime/engine.h"

namespace coppice::loop {

/// What stages begin with: a network of the zoo, built where it is trained, or an ONNX file.
struct ModelSource {
  std::string onnx;  ///< file of a trained model; empty: build `network`
  graph::ModelOptions network;

  void visit(core::Fields& f);
};

/// YAML of `kind: compress`: any stages in any order, each judged by what its model does on the
/// device engine.
struct CompressionOptions {
  std::string kind = "compress";
  std::string name = "compress";
  int64_t seed = 1;
  DataOptions data;
  ModelSource model;
  std::vector<StageOptions> stages;
  bool control = true;   ///< train the shape of every pruned model from scratch
  std::string baseline;  ///< row that the others are compared with; empty: the first
  bool eager = false;    ///< time the baseline run op by op in libtorch
  bool agree = false;    ///< compare predictions of int8 models among all that can run them
  runtime::EngineOptions engine;
  int64_t rounds = 5;  ///< of timing, every model once in each

  void visit(core::Fields& f);
};

/// What the options cannot say by themselves, before anything runs. Throws
/// Error{InvalidArgument, NotFound} whose message begins with the field ("stages.2.prune.from: …"):
/// entries of no kind or of two, names that are taken, `from` and `teacher` that name no earlier
/// stage or a family and not its member, stages that need a trained model or a float one and have
/// none, hints that name nodes which the networks to come will not have, and what `kind: train`
/// refuses of data and recipes.
void check(const CompressionOptions& options);

/// Position of the stage that leaves the model of that name. REQUIRES: there is one.
size_t stage_index(const CompressionOptions& options, const std::string& name);

}  // namespace coppice::loop
