#pragma once

#include <memory>

#include <ATen/core/ATen_fwd.h>
#include <c10/core/Device.h>

#include "data/dataset.h"
#include "graph/graph.h"

namespace coppice::train {

struct LoadedBatch;

/// A frozen network whose logits are the targets of distillation.
class Teacher {
 public:
  /// Throws Error{InvalidArgument} unless its input and classes are those of `schema`.
  Teacher(const graph::Model& model,
          const data::Schema& schema,
          at::Device device = at::Device(at::kCPU));
  ~Teacher();

  /// Computes the logits of whole data sets (or null) once; targets() then looks them up. Only
  /// where samples always look alike.
  void precompute(const data::Dataset* train, const data::Dataset* replay);

  /// [n, classes], without gradient: of the whole batch, or of its replayed samples only.
  at::Tensor targets(const LoadedBatch& batch, bool replayed_only);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::train
