#pragma once

#include <string>
#include <vector>

#include "graph/tensor.h"

namespace coppice::c_source {

/// Elements to go on by for each step along the dimensions of a loop.
using Strides = graph::Shape;

/// Of a dense array that spreads over `shape` (NumPy's rules): 0 where it stays.
Strides spread_strides(const graph::Shape& array, const graph::Shape& shape);

/// Nested loops over a shape, with dimensions as one where every array allows it.
struct Loops {
  std::string begin;                 ///< "  for (…)\n"
  std::string indent;                ///< of what stands inside
  std::vector<std::string> indices;  ///< of each array: "i0 * 25 + i1"
};

Loops make_loops(const graph::Shape& shape, const std::vector<Strides>& arrays);

/// "i0 * 25 + i1 + 3"; factors of 0 left out.
std::string index_expression(const std::vector<std::string>& variables, const Strides& strides);

}  // namespace coppice::c_source
