#pragma once

#include <string>
#include <vector>

#include "recipe/recipe.h"

namespace coppice::recipe {

/// One network of a family that trains together.
struct FamilyMember {
  std::string name;  ///< of its folder: letters, digits, "-" and "_"
  graph::ModelOptions model;

  void visit(core::Fields& f);
};

/// Job kind "train_family": classifiers of several sizes in one run over the data (Ravi, "On-device
/// machine learning with Learn2Compress", 2018). Inputs: `train` (data-set version), optional
/// `validation`. Outputs: <name>/model.onnx of each member, summary.json, metrics.jsonl,
/// report.html.
///
/// The first member learns from labels, the others from labels and the first one's logits of the
/// same forward pass; or each from labels and the mean divergence from all others (Zhang et al.,
/// "Deep mutual learning", CVPR 2018, where temperature is 1 and alpha 0.5). train.distil weighs
/// both as it does for one student.
struct TrainFamilyJob {
  std::string learn_from = "first";  ///< or "each_other"
  std::vector<FamilyMember> members;
  TrainOptions train;

  void visit(core::Fields& f);
};

/// Throws Error{InvalidArgument} for fewer than two members, names that repeat or are no folder's,
/// and what train::check refuses of `train`; messages begin with the field.
void check(const TrainFamilyJob& job, const data::Schema& schema);

}  // namespace coppice::recipe
