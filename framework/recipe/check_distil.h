#pragma once

#include <map>
#include <string>

#include "graph/graph.h"
#include "recipe/distil.h"

namespace coppice::recipe {

/// Teachers by the names of a job's inputs ("teacher", "teacher2", …).
using TeacherGraphs = std::map<std::string, const graph::Graph*>;

/// Whether every hint names nodes that are there, and nodes that its method can compare. Graphs as
/// infer_shapes leaves them.
///
/// Throws Error{NotFound} with the nearest name and all names, Error{InvalidArgument} with both
/// shapes. Messages begin with the field: "distil.hints.0.student: …".
void check_hints(const DistilOptions& options,
                 const graph::Graph& student,
                 const TeacherGraphs& teachers);

/// What the fields of `distil` cannot say one by one. `averages`: whether the run keeps a moving
/// average. Throws Error{InvalidArgument} whose message begins with the field.
void check_distil(const DistilOptions& options, bool averages);

}  // namespace coppice::recipe
