#pragma once

#include <string>

#include "graph/graph.h"

namespace coppice::graph {

/// Makes every consumer of `from`, and the list of outputs, name `to` instead.
void replace_uses(Graph& graph, const std::string& from, const std::string& to);

bool is_output(const Graph& graph, const std::string& name);

/// `stem`, with a number behind it where a node or weight has that name.
std::string free_name(const Model& model, const std::string& stem);

}  // namespace coppice::graph
