#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "loop/options.h"
#include "loop/stages.h"

namespace coppice::loop {

/// A network in the forms that a pipeline passes through, as ONNX files.
struct Lineage {
  std::filesystem::path teacher;  ///< empty without one
  std::filesystem::path student;  ///< float, unpruned
  std::filesystem::path
      recovered;  ///< float, pruned and recovered; the student itself when compression is off
  std::filesystem::path artefact;  ///< what ships
};

struct TrainingData {
  std::filesystem::path train;
  std::filesystem::path replay;      ///< empty: none
  std::filesystem::path validation;  ///< empty: none
  std::filesystem::path calibration;
};

/// Teacher, student, prune, recover, quantise.
Lineage build_first(Stages& stages,
                    const std::optional<recipe::TrainJob>& teacher,
                    const recipe::TrainJob& student,
                    const CompressOptions& compress,
                    const TrainingData& data);

/// Trains the unpruned student on, with replay and distilled from `field_model` (float form of the
/// model in the field); then prunes, recovers by distilling from the retrained student, quantises.
/// `tag` tells this retraining's stages apart.
Lineage rebuild(Stages& stages,
                const std::string& tag,
                const Lineage& from,
                const RetrainOptions& retrain,
                const CompressOptions& compress,
                const TrainingData& data);

}  // namespace coppice::loop
