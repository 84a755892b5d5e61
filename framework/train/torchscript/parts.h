#pragma once

#include <string>

#include "graph/graph.h"
#include "train/torchscript/script.h"

namespace coppice::train {

// What expressions are put together from. `x`: the expression of a node's first input.

std::string script_list(const graph::Shape& values);  ///< "[1, 2]"
std::string script_number(double value);              ///< with all its digits, as a float
/// `x` with rows and columns of `value` around it; pads: top, left, bottom, right, below 0 to cut.
std::string script_padded(const std::string& x, const graph::Shape& pads, double value);

// layers.cpp
std::string script_convolution(ScriptWriter& writer, const graph::Node& node);
std::string script_transposed_convolution(ScriptWriter& writer, const graph::Node& node);
std::string script_recurrent(ScriptWriter& writer, const graph::Node& node);

// images.cpp
std::string script_pooling(const std::string& x, const graph::Node& node);
std::string script_resized(ScriptWriter& writer, const std::string& x, const graph::Node& node);
std::string script_padding(ScriptWriter& writer, const std::string& x, const graph::Node& node);

}  // namespace coppice::train
