#include "coppice/report_commands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "coppice/report_render.h"
#include "coppice/report_show.h"

namespace coppice::tools {

void ReportCommands::add_to(CLI::App& app) {
  CLI::App* report = app.add_subcommand("report", "Compare finished runs, or show one");
  report->require_subcommand(1);
  add_compare(*report);
  add_show(*report);
}

void ReportCommands::add_compare(CLI::App& report) {
  CLI::App* command = report.add_subcommand(
      "compare", "Several runs side by side: mean and spread over seeds, paired tests, curves");
  command
      ->add_option("RUN",
                   runs_,
                   "run directories, folders that hold some (a sweep stands for its trials), or "
                   "globs")
      ->required();
  command
      ->add_option("--metric",
                   compare_.metrics,
                   "figure of summary.json to test and draw (again for more); default: the task's "
                   "own: accuracy, rmse, auroc, …")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--baseline",
                      compare_.baseline,
                      "test only against the configuration of this run; default: all pairs");
  command
      ->add_option("--ignore",
                   compare_.ignored,
                   "field, or group of fields, that makes no other configuration, as the seed "
                   "and the name (again for more)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--out", page_, "write a page with tables and curves (HTML)");
  command->add_option("--json", json_, "write everything for programs");
  command->footer(
      "Runs whose resolved configurations differ in nothing but seed and name form one "
      "configuration.\n"
      "Configurations are compared over the seeds that both have: Student's paired t-test and the "
      "exact\n"
      "Wilcoxon signed-rank test, with Holm's correction where there are several pairs.\n\n"
      "  coppice report compare runs/lenet-*\n"
      "  coppice report compare out/sweep --metric accuracy --metric macs --out compare.html\n"
      "  coppice report compare out/a-* out/b-* --baseline out/a-1 --json compare.json");
  command->callback([this] {
    const Comparison comparison = compare_runs(find_runs(runs_), compare_);
    if (!page_.empty()) {
      write_comparison_page(comparison, page_);
    }
    if (!json_.empty()) {
      write_comparison_json(comparison, json_);
    }
    fmt::print("{}", comparison_text(comparison));
    for (const auto& [what, file] : {std::pair("page", page_), std::pair("json", json_)}) {
      if (!file.empty()) {
        fmt::print("{}: {}\n", what, file.string());
      }
    }
  });
}

void ReportCommands::add_show(CLI::App& report) {
  CLI::App* command =
      report.add_subcommand("show", "Figures and best epochs of one run, from its files");
  command->add_option("RUN", run_, "run directory, or the folder of a job")->required();
  command->add_option(
      "--out", page_, "write a page with learning curves, figures and configuration (HTML)");
  command->callback([this] {
    if (!page_.empty()) {
      write_run_page(run_, page_);
    }
    fmt::print("{}", show_run(run_));
    if (!page_.empty()) {
      fmt::print("page: {}\n", page_.string());
    }
  });
}

}  // namespace coppice::tools
