#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "train/trainer.h"

namespace coppice::train {

/// A training run after a finished epoch, in one HDF5 file: the network as ONNX bytes (graph and
/// weights), the optimiser's tensors by name, and the history.
struct Checkpoint {
  std::string job;  ///< hash of what the run was asked to do
  graph::Model model;
  TrainingState state;  ///< its weights are those of `model`
};

/// Atomic. Throws Error{Io} and leaves the file as it was when the disk is full.
void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);

/// Throws Error{NotFound}, Error{Corrupt} for a truncated or altered file.
Checkpoint load_checkpoint(const std::filesystem::path& file);

}  // namespace coppice::train
