#include "coppice/trainer.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/process.h"

namespace coppice::tools {

std::filesystem::path trainer_path(const std::filesystem::path& named) {
  const auto path = named.empty() ? core::executable_folder() / "coppice-train" : named;
  if (!std::filesystem::exists(path)) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("the trainer '{}' does not exist; build it "
                                  "(COPPICE_WITH_TRAIN=ON) or name one with --trainer",
                                  path.string()));
  }
  return path;
}

}  // namespace coppice::tools
