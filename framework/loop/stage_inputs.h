#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "loop/compression.h"
#include "loop/import.h"

namespace coppice::loop {

/// Which files the jobs of `kind: compress` read, by the names that they know them by. Borrows all
/// that it is made from; `rows` may grow.
class StageInputs {
 public:
  using Files = std::map<std::string, std::filesystem::path>;

  /// `folder` takes training data of fewer classes.
  StageInputs(const CompressionOptions& options,
              const ImportedData& data,
              const std::vector<CompressionRow>& rows,
              std::filesystem::path folder);

  /// Data and teachers of a stage; all but the model that it starts from.
  Files of(const StageOptions& stage) const;

  /// nullptr where no stage has left a model of this name.
  const CompressionRow* row(const std::string& name) const;
  /// The model that `from`, `teacher` and the like call so: a stage's, the experiment's own, a
  /// file.
  std::filesystem::path model(const std::string& name) const;

 private:
  Files data_of(const StageOptions& stage) const;
  std::filesystem::path training_data(const std::vector<std::string>& without) const;

  const CompressionOptions& options_;
  const ImportedData& data_;
  const std::vector<CompressionRow>& rows_;
  std::filesystem::path folder_;
};

}  // namespace coppice::loop
