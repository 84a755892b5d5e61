#include "train/train_main.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/exit_code.h"
#include "core/interrupt.h"
#include "jobs/error_line.h"
#include "train/distillation/hint_terms.h"
#include "train/distillation/logit_terms.h"
#include "train/optimizer.h"
#include "train/process_setup.h"
#include "train/ranks/rank_group.h"
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
    "Several of them train one network together, each on its share of every batch, when the "
    "environment says so:\n"
    "RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT from any launcher, or Slurm's own variables "
    "(srun coppice-train …).\n"
    "Every rank must see the same job file, inputs and folder; rank 0 alone writes to it.\n"
    "GLOO_SOCKET_IFNAME names the network interface.\n"
    "\n"
    "A job that was killed goes on from its last checkpoint when it is run again in the same "
    "folder; "
    "SIGINT\n"
    "and SIGTERM make it save one first.\n"
    "Exit codes: 0 done, 2 config, 3 not found, 4 input/output, 5 corrupt data, 6 refused,\n"
    "7 unsupported, 8 numeric, 70 a bug of ours, 130 interrupted.\n";

/// Other kinds have nothing to share.
constexpr std::string_view kSharedKind = "train";

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

[[noreturn]] void end_now(const core::Error& error) {
  fmt::print(stderr, "{}\n", jobs::to_error_line(error));
  std::fflush(nullptr);
  std::_Exit(core::exit_code(error.kind()));
}

void run(const JobContext& context, const JobKind& kind) {
  std::error_code failed;
  std::filesystem::create_directories(context.folder, failed);
  if (failed) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format("cannot make the folder {}: {}", context.folder.string(), failed.message()));
  }
  kind(context);
}

core::Error to_error(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const core::Error*>(&error)) {
    return *ours;
  }
  // ATen puts a trace behind the first line.
  const std::string message = error.what();
  return {core::ErrorKind::Internal, message.substr(0, message.find('\n'))};
}

/// Ends the process itself when the job fails: a collective that never ends holds threads which
/// nothing can join.
void run_together(JobContext context, const JobKind& kind, const Placement& placement) {
  std::unique_ptr<RankGroup> group;
  try {
    group = join_ranks(placement, {.when_unheard = end_now});
    context.ranks = group.get();
    run(context, kind);
    group->leave();
  } catch (const std::exception& error) {
    const core::Error told = to_error(error);
    if (group) {
      group->abandon(told);
    }
    end_now(told);
  }
}

void run(const Arguments& arguments, const Components& components) {
  const Placement placement = placement_here();
  const jobs::JobSpec spec = jobs::load_job(arguments.job);
  const JobKind& kind = components.job_kinds.get(spec.kind);
  JobContext context{.spec = spec, .folder = arguments.out, .components = components};
  if (placement.rank == 0) {
    context.on_progress = [](const jobs::JobProgress& progress) {
      fmt::print("{}\n", jobs::to_line(progress));
      std::fflush(stdout);
    };
  }
  if (!placement.alone() && spec.kind == kSharedKind) {
    run_together(std::move(context), kind, placement);
  } else if (placement.rank == 0) {
    run(context, kind);
  }
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
      print(logit_methods());
      print(hint_methods());
      print(optimizers());
      print(schedules());
      return 0;
    }
    set_up_process(argv);
    core::install_interrupt_handler();
    run(arguments, components);
    return 0;
  } catch (const std::exception& error) {
    const core::Error told = to_error(error);
    fmt::print(stderr, "{}\n", jobs::to_error_line(told));
    return core::exit_code(told.kind());
  }
}

}  // namespace coppice::train
