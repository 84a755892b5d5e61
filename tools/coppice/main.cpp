#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "coppice/data_cli.h"
#include "coppice/experiment_file.h"
#include "coppice/list.h"
#include "coppice/model_commands.h"
#include "coppice/report_commands.h"
#include "coppice/run.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "exit_code.h"

namespace {

using namespace coppice;

void add_run(CLI::App& app, tools::RunOptions& options) {
  CLI::App* command = app.add_subcommand(
      "run", "Run an experiment file: training, compression, closed loop or sweep");
  command->add_option("FILE", options.file, "experiment (YAML)")->required();
  command->add_option("--set", options.overrides, "override a field: a.b=c (again for more)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--out", options.out, "run directory; default: a new one under runs/");
  command->add_option("--cache",
                      options.cache,
                      "folder of finished stages; default: runs/stages, or OUT/stages with --out");
  command->add_option("--trainer",
                      options.trainer,
                      "program that runs the jobs; default: coppice-train beside this one");
  command->add_option("--launch",
                      options.launch,
                      "local:N: N processes of this machine train together, each on its share of "
                      "every batch; default: one");
  command->add_flag(
      "--resume", options.resume, "go on with the newest unfinished run of this configuration");
  command->add_flag("--fresh", options.fresh, "run every stage even if it is found finished");
  command->footer(
      "Ctrl-C ends cleanly; the same command with --resume goes on from the last finished stage.\n"
      "A run directory holds config.yaml, summary.json, metrics.jsonl, report.html, log.txt, "
      "provenance.json.\n\n"
      "  coppice run configs/loop/fashion-mnist.yaml\n"
      "  coppice run configs/train/fashion-mnist.yaml --set student.train.epochs=3 --out "
      "out/short");
  command->callback([&options] { tools::run(options); });
}

struct CheckOptions {
  std::string file;
  std::vector<std::string> overrides;
  std::string schema;
  std::string reference;
};

void add_check(CLI::App& app, CheckOptions& options) {
  CLI::App* command = app.add_subcommand(
      "check", "Validate an experiment file and print it with every default spelled out");
  command->add_option("FILE", options.file, "experiment (YAML)");
  command->add_option("--set", options.overrides, "override a field: a.b=c (again for more)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--schema",
                      options.schema,
                      "print the JSON schema of a kind (train, loop, compress, sweep) for editors");
  command->add_option(
      "--reference", options.reference, "print the reference page of a kind as Markdown");
  command->callback([&options] {
    if (!options.schema.empty()) {
      fmt::print("{}\n", tools::schema_of(options.schema));
    } else if (!options.reference.empty()) {
      fmt::print("{}\n", tools::reference_of(options.reference));
    } else if (!options.file.empty()) {
      fmt::print("{}", tools::load_experiment(options.file, options.overrides).resolved());
    } else {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "name a FILE, or a kind with --schema or --reference");
    }
  });
}

void add_list(CLI::App& app, std::string& kind) {
  CLI::App* command = app.add_subcommand("list", "Name every registered component");
  command->add_option(
      "KIND", kind, "models, readers, transforms, criteria, samplers, …; default: all");
  command->callback([&kind] { fmt::print("{}", tools::list_components(kind)); });
}

int run_main(int argc, char** argv) {
  CLI::App app{
      "Coppice: train, prune, distil, quantise, validate, deploy, collect, retrain — from one YAML "
      "file."};
  app.set_version_flag("--version", COPPICE_VERSION);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Print the help of every sub-command");
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "tell more on stderr");
  app.parse_complete_callback([&verbose] {
    if (verbose) {
      core::set_log_level(core::LogLevel::Debug);
    }
  });
  tools::RunOptions run_options;
  CheckOptions check_options;
  std::string list_kind;
  tools::ReportCommands report;
  add_run(app, run_options);
  add_check(app, check_options);
  add_list(app, list_kind);
  tools::DataOptions data_options;
  tools::add_data(app, data_options);
  report.add_to(app);
  tools::ModelCommands model;
  model.add_to(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  core::install_interrupt_handler();
  return tools::report_errors([&] { return run_main(argc, argv); });
}
