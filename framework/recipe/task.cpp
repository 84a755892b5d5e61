#include "recipe/task.h"

namespace coppice::recipe {

void TaskOptions::visit(core::Fields& f) {
  f.field("name",
          name,
          {.help = "what the network learns; auto: the data's own task",
           .choices = {"auto", "classification", "regression", "reconstruction"}});
  f.field("loss",
          loss,
          {.help = "auto: cross_entropy for classes, else mse",
           .choices = {"auto", "cross_entropy", "mse", "mae", "huber"}});
  f.field("huber_delta",
          huber_delta,
          {.help = "huber: error at which quadratic becomes linear", .min = 1e-9, .max = 1e9});
  f.field("anomaly_quantile",
          anomaly_quantile,
          {.help = "reconstruction: share of validation errors below the anomaly threshold",
           .min = 0,
           .max = 1});
}

}  // namespace coppice::recipe
