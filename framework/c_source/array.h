#pragma once

#include <span>
#include <string>

#include "graph/tensor.h"

namespace coppice::c_source {

/// "static const float name[12] = {…};" with the values of a tensor, row by row.
std::string array_definition(const std::string& name, const graph::Tensor& values);

}  // namespace coppice::c_source
