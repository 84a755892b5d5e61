// The closed loop inside another program: embedded-loop FILE checks a configuration; with FOLDER
// and TRAINER it runs it.
#include <cstdio>
#include <exception>

#include "core/config.h"
#include "loop/closed_loop.h"

namespace {

using namespace coppice;

int run(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: embedded-loop FILE [FOLDER TRAINER]\n");
    return 2;
  }
  const auto options = core::read_options<loop::LoopOptions>(core::load_config(argv[1]));
  loop::check(options);
  std::printf("%s: %lld devices, %lld days\n",
              options.name.c_str(),
              static_cast<long long>(options.field.scenario.devices),
              static_cast<long long>(options.field.scenario.total_days()));
  if (argc == 4) {
    const std::filesystem::path folder = argv[2];
    const auto executor = jobs::make_local_executor(argv[3]);
    const auto result =
        loop::run_loop(options, folder, *executor, jobs::StageCache(folder / "stages"));
    for (const auto& [name, value] : result.figures) {
      std::printf("%s %g\n", name.c_str(), value);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
