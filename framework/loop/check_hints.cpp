#include "loop/check_hints.h"

#include <optional>

#include "core/error.h"
#include "recipe/check_distil.h"

namespace coppice::loop {

void check_hints(const std::string& field,
                 const recipe::DistilOptions& options,
                 const graph::ModelOptions& student,
                 const graph::ModelOptions* teacher,
                 const std::vector<std::string>& class_names) {
  if (options.hints.empty()) {
    return;
  }
  graph::ModelInput input;
  // Names of nodes depend neither on the classes nor on the size of images.
  input.class_names = class_names.empty() ? std::vector<std::string>{"a", "b"} : class_names;
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
