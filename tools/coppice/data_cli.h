#pragma once

#include <CLI/CLI.hpp>

#include "coppice/data_commands.h"

namespace coppice::tools {

/// What the command line says of `coppice data …`.
struct DataOptions {
  DataImportOptions import;
  DataInspectOptions inspect;
  DataDiffOptions diff;
  DataSplitOptions split;
};

/// Adds `coppice data import | inspect | diff | split`. REQUIRES: `options` outlives the parsing.
void add_data(CLI::App& app, DataOptions& options);

}  // namespace coppice::tools
