#pragma once

#include <string>
#include <vector>

#include "c_source/c_source.h"
#include "core/files.h"
#include "graph/graph.h"

namespace coppice::c_source::testing {

/// A model's C source, built by the host's compiler with every warning an error, and loaded.
class Compiled {
 public:
  explicit Compiled(const graph::Model& model, const Options& options = {});
  ~Compiled();
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  const CSource& source() const { return source_; }

  /// Every output for a batch, sample by sample.
  std::vector<graph::Tensor> run(const std::vector<graph::Tensor>& inputs) const;

  /// A symbol of the library; nullptr when there is none.
  void* symbol(const std::string& name) const;

 private:
  core::TemporaryFolder folder_;
  CSource source_;
  std::vector<graph::Node> outputs_;
  void* library_ = nullptr;
};

/// Expects the outputs of the "reference" backend on `inputs`: the same bits, or, where the
/// network computes in float, the same within 1e-6 of the largest value.
void expect_reference_outputs(const graph::Model& model, const std::vector<graph::Tensor>& inputs);

}  // namespace coppice::c_source::testing
