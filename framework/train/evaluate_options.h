#pragma once

#include <cstdint>
#include <string>

#include "core/fields.h"

namespace coppice::train {

/// Job kind "evaluate". Inputs: `model` (ONNX), `data` (data-set version). Outputs: summary.json,
/// report.html.
struct EvaluateOptions {
  std::string backend = "auto";
  int64_t batch_size = 64;
  int64_t threads = 1;

  void visit(core::Fields& f) {
    f.field("backend", backend, {.help = "of the device engine"});
    f.field("batch_size", batch_size, {.help = "samples in a run", .min = 1, .max = 65536});
    f.field("threads", threads, {.help = "threads of the engine", .min = 1, .max = 1024});
  }
};

}  // namespace coppice::train
