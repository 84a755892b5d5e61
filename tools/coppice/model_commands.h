#pragma once

#include "coppice/model_bench.h"
#include "coppice/model_compare.h"
#include "coppice/model_export.h"
#include "coppice/model_run.h"
#include "coppice/model_sensitivity.h"

namespace CLI {
class App;
}

namespace coppice::tools {

/// `coppice model export | bench | run | inspect | compare | sensitivity`. Holds what the command
/// line says; it must live until the line is parsed.
class ModelCommands {
 public:
  void add_to(CLI::App& app);

 private:
  void add_export(CLI::App& model);
  void add_bench(CLI::App& model);
  void add_run(CLI::App& model);
  void add_inspect(CLI::App& model);
  void add_compare(CLI::App& model);
  void add_sensitivity(CLI::App& model);

  ModelExportOptions export_;
  ModelBenchOptions bench_;
  ModelRunOptions run_;
  ModelCompareOptions inspect_;
  ModelCompareOptions compare_;
  ModelSensitivityOptions sensitivity_;
};

}  // namespace coppice::tools
