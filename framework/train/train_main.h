#pragma once

#include "train/components.h"

namespace coppice::train {

/// `coppice-train`: runs one job and returns the exit code. A program that adds components is
///
///     int main(int argc, char** argv) {
///       auto components = coppice::train::built_in_components();
///       components.strategies.add("mine", [] { return std::make_unique<Mine>(); }, "what it
///       does"); return coppice::train::train_main(argc, argv, components);
///     }
///
/// Started as one of several ranks (see placement_of), it runs a job of kind "train" together with
/// the others; any other kind is run by rank 0 alone. Does not return then when the job fails.
///
/// Exit codes: 0, or core/exit_code.h's.
int train_main(int argc, char** argv, const Components& components);

}  // namespace coppice::train
