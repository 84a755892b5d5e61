#include "recipe/distil.h"

namespace coppice::recipe {

void HintOptions::visit(core::Fields& f) {
  f.field("method",
          method,
          {.help = "how the two nodes are compared",
           .choices = {"fitnets", "attention", "rkd", "similarity", "pkt"}});
  f.field("teacher", teacher, {.help = "node of the teacher's graph", .required = true});
  f.field("student", student, {.help = "node of the student's graph", .required = true});
  f.field("of", of, {.help = "the teacher, by the job's input: teacher, teacher2, …"});
  f.field("weight", weight, {.help = "of the term in the loss", .min = 0, .max = 1e6});
  const bool every = f.wants_every_field();
  if (every || method == "attention") {
    f.field("power", power, {.help = "attention: exponent of the activations", .min = 1, .max = 8});
  }
  if (every || method == "rkd") {
    f.field("distance", distance, {.help = "rkd: share of the distances", .min = 0, .max = 1e6});
    f.field("angle", angle, {.help = "rkd: share of the angles", .min = 0, .max = 1e6});
  }
}

void DistilOptions::visit(core::Fields& f) {
  f.field("method",
          method,
          {.help = "what is made of the teacher's logits; none: hints alone",
           .choices = {"soft", "dkd", "none"}});
  f.field("temperature", temperature, {.help = "softens both outputs", .min = 0.1, .max = 1000});
  f.field("alpha",
          alpha,
          {.help = "weight of the teacher's targets, labels have the rest", .min = 0, .max = 1});
  if (f.wants_every_field() || method == "dkd") {
    f.field("dkd_alpha",
            dkd_alpha,
            {.help = "dkd: weight of the true class against all others", .min = 0, .max = 1e4});
    f.field("dkd_beta",
            dkd_beta,
            {.help = "dkd: weight of what is told among the others", .min = 0, .max = 1e4});
  }
  f.field("standardise",
          standardise,
          {.help = "logits of each sample to mean 0 and deviation 1 first: the student need not "
                   "match the teacher's range"});
  f.list("hints", hints, "nodes of the student drawn towards nodes of a teacher");
  f.field("teacher_weights",
          teacher_weights,
          {.help = "of several teachers' targets; empty: all alike", .min = 0, .max = 1e6});
  f.field("self",
          self,
          {.help = "the student's own moving average (ema_decay) is a teacher too, the last one"});
  f.field(
      "on",
      on,
      {.help = "samples that the teacher's targets are used for", .choices = {"all", "replay"}});
}

}  // namespace coppice::recipe
