#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "data/dataset.h"
#include "graph/graph.h"
#include "recipe/check_distil.h"
#include "train/network.h"
#include "train/training_state.h"

namespace coppice::train {

struct LoadedBatch;

/// What a teacher makes of a batch, without gradient.
struct Answer {
  at::Tensor logits;  ///< [n, classes]
  Activations nodes;  ///< those that hints name
};

/// Models by the names that hints call them ("teacher", "teacher2", …).
using TeacherModels = std::vector<std::pair<std::string, graph::Model>>;

/// One or several frozen networks, float or int8, whose outputs are the targets of distillation;
/// and, where the options say so, the student's own moving average.
class Teacher {
 public:
  /// One network, for its logits alone.
  Teacher(const graph::Model& model,
          const data::Schema& schema,
          at::Device device = at::Device(at::kCPU));
  /// `student`: what learns, for options.self.
  ///
  /// Throws Error{InvalidArgument} unless inputs and classes are those of `schema` and there is a
  /// weight for each teacher or none, Error{NotFound} for nodes that hints name in vain.
  Teacher(const TeacherModels& models,
          const graph::Model& student,
          const data::Schema& schema,
          const recipe::DistilOptions& options,
          at::Device device = at::Device(at::kCPU));
  ~Teacher();

  /// How many there are, the student's average included.
  size_t size() const;

  /// What hints may name. Of a teacher without hints: with BN folded away.
  recipe::TeacherGraphs graphs() const;

  /// Which of them a hint means.
  size_t index(const std::string& name) const;

  /// Computes the logits of whole data sets (or null) once; answers() then looks them up. Only
  /// where samples always look alike and no hint names nodes. The student's average is left out.
  void precompute(const data::Dataset* train, const data::Dataset* replay);

  /// Of the whole batch, or of its replayed samples only; one for each teacher.
  std::vector<Answer> answers(const LoadedBatch& batch, bool replayed_only);

  /// The student's average from now on. REQUIRES: options.self.
  void follow(const NamedTensors& average);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::train
