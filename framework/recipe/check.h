#pragma once

#include "data/dataset.h"
#include "recipe/recipe.h"

namespace coppice::recipe {

/// What the data set's own task is called when `options.name` is "auto".
std::string task_of(const TaskOptions& options, const data::Schema& schema);

/// The loss's name, "auto" resolved.
std::string loss_of(const TaskOptions& options, const std::string& task);

/// What single fields cannot say: whether augmentation and mixing fit the samples, the loss the
/// task, the schedule the epochs.
///
/// Throws Error{InvalidArgument, NotFound} whose message begins with the field
/// ("augmentation.0: …", "schedule.milestones: …").
void check(const TrainOptions& options, const data::Schema& schema);

}  // namespace coppice::recipe
