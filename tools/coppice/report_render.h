#pragma once

#include <filesystem>
#include <string>

#include "coppice/report_compare.h"

namespace coppice::tools {

/// Tables for a terminal: configurations, figures, paired tests.
std::string comparison_text(const Comparison& comparison);

/// The same as a page, with curves and every run.
void write_comparison_page(const Comparison& comparison, const std::filesystem::path& file);

/// The same for programs: {"runs": […], "configurations": […], "figures": {…}, "tests": […]}.
void write_comparison_json(const Comparison& comparison, const std::filesystem::path& file);

/// The tables that text and page share: a header and its rows.
struct ReportTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

ReportTable configuration_table(const Comparison& comparison);
ReportTable figure_table(const Comparison& comparison);
ReportTable pair_table(const Comparison& comparison, const std::string& metric);

/// What `n` pairs can show at best, and what the columns mean.
std::string pair_remark(const Comparison& comparison, const std::string& metric);

}  // namespace coppice::tools
