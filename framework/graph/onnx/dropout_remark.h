#pragma once

#include <string>
#include <string_view>

#include "graph/op.h"

namespace coppice::graph {

/// ONNX's Dropout zeroes single values only. What else ours does in training stands in the node's
/// doc_string, which runtimes pass over; inference is the same.
std::string dropout_remark(DropoutGrain grain);

/// Value for any other remark.
DropoutGrain read_dropout_remark(std::string_view remark);

}  // namespace coppice::graph
