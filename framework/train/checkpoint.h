#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "train/trainer.h"

namespace coppice::train {

/// A training run between two steps, in one HDF5 file: the network as ONNX bytes (graph and
/// weights), the tensors of the optimiser, of the weights' average and of the best epoch by name,
/// the history, and the numbers of schedule, early stopping and the epoch that is under way.
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
