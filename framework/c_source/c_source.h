#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::c_source {

struct Options {
  std::string prefix;  ///< of every name that other files see; empty: from the model's name

  void visit(core::Fields& f);
};

/// One model as a pair of C files, and what it needs on the device.
struct CSource {
  std::string prefix;
  std::string header;          ///< text of PREFIX.h
  std::string code;            ///< text of PREFIX.c
  int64_t constant_bytes = 0;  ///< weights, tables and class names: read-only, in flash
  int64_t arena_bytes = 0;     ///< of all activations: zero-initialised static memory
  int64_t macs = 0;            ///< multiply-accumulates of one run
};

/// Writes a model as C99 that needs no library but math.h and string.h: weights as constant arrays,
/// activations in one static arena, and `int PREFIX_run(const T* input, U* output)` for one sample.
///
/// It computes what the "reference" backend computes, in the same order: layers over 8-bit values
/// have integer sums and the reference's rounding, so that outputs are equal to the bit wherever
/// the compiler keeps to IEEE single precision; float layers differ by what its expf and tanhf do.
///
/// Throws Error{Unsupported} naming node, op and the ops that have a C form, Error{InvalidArgument}
/// for a prefix that is no C identifier.
CSource generate(const graph::Model& model, const Options& options = {});

/// Names of the ops that have a C form.
std::vector<std::string> supported_ops();

/// Writes PREFIX.h and PREFIX.c into `folder`, which is made. Throws Error{Io}.
void write_files(const CSource& source, const std::filesystem::path& folder);

}  // namespace coppice::c_source
