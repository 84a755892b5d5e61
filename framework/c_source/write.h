#pragma once

#include "c_source/plan.h"
#include "c_source/source.h"

namespace coppice::c_source {

/// Each writes one step: what it needs in the file, and its statements.
void write_layer(Source& source, const graph::Node& output, const runtime::QuantisedLayer& layer);
void write_layer(Source& source, const graph::Node& output, const FloatLayer& layer);
void write_element_loop(Source& source, const graph::Node& output, const ElementLoop& loop);
/// Throws Error{Unsupported} for an op without a C form.
void write_node(Source& source, const graph::Node& output, const SingleNode& single);

/// Resize, Pad, Transpose, Slice, Concat, Flatten and Reshape: values to other places.
void write_move(Source& source, const graph::Node& node);

/// "  /* what: name [shape] */"
void write_heading(Source& source, const std::string& what, const graph::Node& output);

/// Throws Error{Unsupported} for a Conv or pooling whose windows reach past what 32 bits count.
void require_near_windows(const graph::Node& node,
                          const graph::Node& input,
                          const graph::Shape& stride,
                          const graph::Shape& pads);

/// Ops of single nodes that write_node takes.
bool has_node_form(graph::Op op);

/// Throws Error{Unsupported} naming node and op, and the ops that have a C form.
[[noreturn]] void refuse_node(const graph::Node& node, const std::string& why);

}  // namespace coppice::c_source
