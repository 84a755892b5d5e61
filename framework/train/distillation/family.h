#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "recipe/train_family.h"
#include "train/objective.h"

namespace coppice::train {

/// Models by name.
using NamedModels = std::vector<std::pair<std::string, graph::Model>>;

/// Several models of one input as one graph, which trains, is saved and resumed like any other:
/// they share the input and nothing else, nodes and weights become "member/name", outputs are the
/// members' first ones in their order.
///
/// REQUIRES: members that take the same input. Throws Error{InvalidArgument} otherwise.
graph::Model join_members(const NamedModels& members);

/// A member as it was, with the weights of the joint model.
graph::Model take_member(const graph::Model& joint, const std::string& member);

/// The sum over members of (1 - alpha) labels + alpha targets: recipe::TrainFamilyJob. REQUIRES: a
/// graph of join_members; `job` is checked.
std::unique_ptr<Objective> make_family_objective(const recipe::TrainFamilyJob& job,
                                                 const graph::Graph& joint);

}  // namespace coppice::train
