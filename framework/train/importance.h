#pragma once

#include "compress/criteria.h"
#include "compress/statistics.h"
#include "data/dataset.h"
#include "graph/graph.h"

namespace coppice::train {

/// Runs samples of a data set through the model, as it is in inference, and gathers what the
/// criteria that need data read: activations, and for CriterionNeeds::Gradients the gradients of
/// each sample's own loss (that of the model's task) by a gate on every channel.
///
/// Samples without the truth that the loss needs are left out. Deterministic on one thread.
/// Throws Error{InvalidArgument} for data that does not fit the model or has no sample to learn
/// from, Error{Numeric} naming the group whose statistics are not finite.
compress::Statistics measure_importance(const graph::Model& model,
                                        const data::Dataset& dataset,
                                        compress::CriterionNeeds needs,
                                        const compress::ImportanceOptions& options = {});

}  // namespace coppice::train
