#pragma once

#include <string>

#include "c_source/c_source.h"
#include "c_source/plan.h"

namespace coppice::c_source {

/// Text of PREFIX.h. `source.header` and `source.code` are not read.
std::string header_text(const CSource& source, const Plan& plan);

/// "int PREFIX_run(const uint8_t *input, float *output)".
std::string run_declaration(const std::string& prefix, const Plan& plan);

/// Names of the parameters: "input", or "input0", "input1", …
std::string input_name(const Plan& plan, size_t i);
std::string output_name(const Plan& plan, size_t i);

}  // namespace coppice::c_source
