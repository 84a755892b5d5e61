#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "compress/quantise.h"
#include "core/fields.h"
#include "graph/zoo.h"

namespace coppice::tools {

/// What a network of the zoo reads and predicts, where no data set says it.
struct NetworkInput {
  std::string dtype = "u8";                  ///< "u8", "f32"
  std::vector<int64_t> shape = {1, 28, 28};  ///< of a sample
  std::vector<double> mean = {};             ///< empty: no standardisation
  std::vector<double> std = {};
  int64_t classes = 10;
  std::vector<std::string> class_names = {};  ///< empty: 0, 1, …
  int64_t outputs = 1;                        ///< of a regressor

  void visit(core::Fields& f);

  graph::ModelInput to_model_input() const;
};

/// A YAML file (or --set) of `coppice model`: a network, what it reads, and how it is quantised.
struct NetworkFile {
  graph::ModelOptions model;
  NetworkInput input;
  int64_t seed = 1;
  compress::QuantiseOptions quantise;

  void visit(core::Fields& f);
};

/// A model and what was said of its quantisation.
struct OpenedModel {
  graph::Model model;
  compress::QuantiseOptions quantise;
  int64_t seed = 1;
};

/// `source` is an ONNX file, a run directory or another folder that holds model.onnx, a YAML file
/// with `model` (or `student.model`, as those of configs/models have it), or a network of the zoo.
/// Overrides ("input.shape=[3,32,32]") go to NetworkFile; only `quantise` and `seed` are taken
/// where the network is there already. Throws Error{NotFound, Config, Corrupt, Unsupported}.
OpenedModel open_model(const std::string& source, const std::vector<std::string>& overrides);

}  // namespace coppice::tools
