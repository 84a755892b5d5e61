#include "train/train_main.h"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "core/exit_code.h"
#include "core/interrupt.h"
#include "jobs/error_line.h"
#include "train/optimizer.h"
#include "train/process_setup.h"
#include "train/schedule.h"

namespace coppice::train {

namespace {

constexpr std::string_view kHelp =
    "Runs one training job: a spec file in, a folder of results out.\n"
    "\n"
    "  coppice-train --job JOB.yaml --out FOLDER   run it; progress goes to stdout, one JSON line "
    "each\n"
    "  coppice-train --list                        job kinds, strategies, optimisers and "
    "schedules\n"
    "  coppice-train --help                        this text\n"
    "\n"
    "A job that was killed goes on from its last checkpoint when it is run again in the same "
    "folder; "
    "SIGINT\n"
    "and SIGTERM make it save one first.\n"
    "Exit codes: 0 done, 2 config, 3 not found, 4 input/output, 5 corrupt data, 6 refused,\n"
    "7 unsupported, 8 numeric, 70 a bug of ours, 130 interrupted.\n";

struct Arguments {
  std::filesystem::path job;
  std::filesystem::path out;
  bool list = false;
  bool help = false;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--list") {
      arguments.list = true;
    } else if (name == "--help" || name == "-h") {
      arguments.help = true;
    } else if ((name == "--job" || name == "--out") && i + 1 < argc) {
      (name == "--job" ? arguments.job : arguments.out) = argv[++i];
    } else {
      throw core::Error(
          core::ErrorKind::Config,
          fmt::format("unknown or incomplete argument '{}'{}; see --help",
                      name,
                      core::did_you_mean(
                          name, std::vector<std::string>{"--job", "--out", "--list", "--help"})));
    }
  }
  if (!arguments.list && !arguments.help && (arguments.job.empty() || arguments.out.empty())) {
    throw core::Error(core::ErrorKind::Config, "--job and --out are both needed; see --help");
  }
  return arguments;
}

template <class T>
void print(const core::Registry<T>& registry) {
  for (const auto& [name, entry] : registry.entries()) {
    fmt::print("{:<10} {:<10} {}\n", registry.kind(), name, entry.help);
  }
}

void run(const Arguments& arguments, const Components& components) {
  const jobs::JobSpec spec = jobs::load_job(arguments.job);
  const JobKind& kind = components.job_kinds.get(spec.kind);
  std::error_code failed;
  std::filesystem::create_directories(arguments.out, failed);
  if (failed) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format("cannot make the folder {}: {}", arguments.out.string(), failed.message()));
  }
  kind({.spec = spec,
        .folder = arguments.out,
        .components = components,
        .on_progress = [](const jobs::JobProgress& progress) {
          fmt::print("{}\n", jobs::to_line(progress));
          std::fflush(stdout);
        }});
}

}  // namespace

int train_main(int argc, char** argv, const Components& components) {
  try {
    const Arguments arguments = parse(argc, argv);
    if (arguments.help) {
      fmt::print("{}", kHelp);
      return 0;
    }
    if (arguments.list) {
      print(components.job_kinds);
      print(components.strategies);
      print(optimizers());
      print(schedules());
      return 0;
    }
    set_up_process(argv);
    core::install_interrupt_handler();
    run(arguments, components);
    return 0;
  } catch (const core::Error& error) {
    fmt::print(stderr, "{}\n", jobs::to_error_line(error));
    return core::exit_code(error.kind());
  } catch (const std::exception& error) {
    // ATen puts a trace behind the first line.
    const std::string message = error.what();
    const core::Error told(core::ErrorKind::Internal, message.substr(0, message.find('\n')));
    fmt::print(stderr, "{}\n", jobs::to_error_line(told));
    return core::exit_code(told.kind());
  }
}

}  // namespace coppice::train
