#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::recipe {

/// A term that draws a node of the student towards a node of a teacher. Methods and papers:
/// train/distillation/hint_term.h.
struct HintOptions {
  std::string method = "fitnets";
  std::string teacher;         ///< name of a node of the teacher's graph
  std::string student;         ///< name of a node of the student's graph
  std::string of = "teacher";  ///< which teacher, by the job's input: teacher, teacher2, …
  double weight = 1;           ///< of the term in the loss
  double power = 2;            ///< attention: exponent of the activations
  double distance = 1;         ///< rkd: share of the distances
  double angle = 2;            ///< rkd: share of the angles

  void visit(core::Fields& f);
};

/// What a student learns from teachers: loss = (1 - alpha) labels + alpha targets + sum of weight x
/// hint. Used when the job is given a teacher, or the student is its own (`self`).
struct DistilOptions {
  std::string method = "soft";  ///< of the targets: "soft", "dkd", or "none": hints alone
  double temperature = 4;
  double alpha = 0.7;        ///< weight of the targets; 1 leaves labels out
  double dkd_alpha = 1;      ///< dkd: weight of the target class against all others
  double dkd_beta = 8;       ///< dkd: weight of what is told among the others
  bool standardise = false;  ///< logits are standardised first (Sun et al., CVPR 2024)
  std::vector<HintOptions> hints;
  std::vector<double> teacher_weights;  ///< by teacher, `self` last; empty: all alike
  bool self = false;                    ///< the student's own moving average teaches it too
  std::string on = "all";  ///< "all" samples, or "replay": only replayed ones, as the teacher does
                           ///< not know the new

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
