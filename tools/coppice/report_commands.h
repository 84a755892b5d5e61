#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "coppice/report_compare.h"

namespace CLI {
class App;
}

namespace coppice::tools {

/// `coppice report compare | show`. Holds what the command line says; it must live until the line
/// is parsed.
class ReportCommands {
 public:
  void add_to(CLI::App& app);

 private:
  void add_compare(CLI::App& report);
  void add_show(CLI::App& report);

  std::vector<std::string> runs_;
  CompareOptions compare_;
  std::string run_;
  std::filesystem::path page_;
  std::filesystem::path json_;
};

}  // namespace coppice::tools
