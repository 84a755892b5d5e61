#pragma once

namespace coppice::train {

class Network;
struct TrainingTask;

/// Throws Error{InvalidArgument} for what train() cannot begin with: nothing to train, empty data,
/// labels that are missing or out of range, options that do not fit the data or each other.
void check_task(const Network& network, const TrainingTask& task);

}  // namespace coppice::train
