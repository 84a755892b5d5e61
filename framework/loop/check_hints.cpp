#include "loop/check_hints.h"

#include <optional>

#include "core/error.h"
#include "recipe/check_distil.h"

namespace coppice::loop {

graph::ModelInput input_for(const data::Schema& schema) {
  graph::ModelInput input;
  input.sample_shape = schema.sample_shape;
  input.class_names = schema.task == "regression" ? schema.target_names : schema.class_names;
  if (input.class_names
          .empty()) {  // reconstruction: a network with a head may be named all the same
    input.class_names = {"a", "b"};
  }
  return input;
}

void check_hints(const std::string& field,
                 const recipe::DistilOptions& options,
                 const graph::ModelOptions& student,
                 const graph::ModelOptions* teacher,
                 const data::Schema& schema) {
  if (options.hints.empty()) {
    return;
  }
  const graph::ModelInput input = input_for(schema);
  const graph::Model ours = graph::build_model(student, input, 1);
  std::optional<graph::Model> theirs;
  recipe::TeacherGraphs teachers;
  if (teacher != nullptr) {
    theirs = graph::build_model(*teacher, input, 1);
    teachers["teacher"] = &theirs->graph;
  }
  if (options.self) {
    teachers["self"] = &ours.graph;
  }
  try {
    recipe::check_hints(options, ours.graph, teachers);
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), field + "." + error.what());
  }
}

}  // namespace coppice::loop
