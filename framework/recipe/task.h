#pragma once

#include <string>

#include "core/fields.h"

namespace coppice::recipe {

/// What a network is trained for.
struct TaskOptions {
  std::string name = "auto";  ///< auto (the data's own), classification, regression, reconstruction
  std::string loss = "auto";  ///< auto: cross_entropy for classification, else mse; or mae, huber
  double huber_delta = 1;     ///< huber: quadratic below, linear above
  double anomaly_quantile =
      0.99;  ///< reconstruction: of the validation errors; above is an anomaly

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
