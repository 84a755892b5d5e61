#pragma once

namespace coppice::core {

/// From now on the first SIGINT or SIGTERM only sets a flag; a second SIGINT ends the process at
/// once.
void install_interrupt_handler();

/// Whether SIGINT or SIGTERM came.
bool interrupted();

/// Throws Error{Interrupted} if one came: call between units of work that may be left safely.
void throw_if_interrupted();

}  // namespace coppice::core
