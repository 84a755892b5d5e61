#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "core/fields.h"
#include "loop/compression_options.h"
#include "loop/options.h"
#include "sweep/study.h"

namespace coppice::tools {

/// YAML of `kind: sweep`: trials of another experiment file.
struct SweepOptions {
  std::string kind = "sweep";
  std::string name = "sweep";
  int64_t seed = 1;
  std::string experiment;  ///< file; relative to the sweep's own
  int64_t workers = 2;
  sweep::StudyOptions study;

  void visit(core::Fields& f);
};

/// An experiment file of any kind, read and checked.
struct ExperimentFile {
  std::variant<loop::ExperimentOptions, loop::LoopOptions, loop::CompressionOptions, SweepOptions>
      options;
  std::filesystem::path file;

  std::string kind() const;
  std::string name() const;
  std::string resolved() const;  ///< YAML, every default spelled out
};

/// Throws Error{Config, NotFound, InvalidArgument} naming file, line and column.
ExperimentFile load_experiment(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides);

/// JSON schema or Markdown reference of a kind. Throws Error{NotFound}.
std::string schema_of(const std::string& kind);
std::string reference_of(const std::string& kind);
const std::vector<std::string>& experiment_kinds();

}  // namespace coppice::tools
