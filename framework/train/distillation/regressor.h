#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "recipe/check_distil.h"

namespace coppice::train {

/// The node whose value the hint compares with the teacher's: the student's own, or that of the
/// regressor which follows it.
std::string compared_node(const recipe::DistilOptions& options, size_t hint);

/// The student with a regressor for each hint that learns one: a 1 x 1 convolution (of vectors a
/// linear layer) to the teacher's channels, then the teacher's own activation where its node is
/// one. As an output of the graph it trains, is saved and resumed like any other layer.
///
/// REQUIRES: recipe::check_hints. ENSURES: the first output stays.
graph::Model add_regressors(graph::Model student,
                            const recipe::DistilOptions& options,
                            const recipe::TeacherGraphs& teachers,
                            uint64_t seed);

/// Without them: what is exported.
graph::Model remove_regressors(graph::Model student);

}  // namespace coppice::train
