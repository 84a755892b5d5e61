#pragma once

#include <array>

#include "core/config.h"

namespace coppice::core::config_test {

/// Options of every kind that a struct can have.
struct Layer {
  int64_t channels = 16;
  double dropout = 0;

  void visit(Fields& f) {
    f.field("channels", channels, {.help = "output channels", .min = 1, .max = 4096});
    f.field("dropout", dropout, {.help = "share of activations dropped", .min = 0, .max = 0.9});
  }
};

enum class Method { Sgd, AdamW };

inline constexpr std::array<std::pair<Method, std::string_view>, 2> kMethods = {
    {{Method::Sgd, "sgd"}, {Method::AdamW, "adamw"}}};

struct Optimiser {
  Method method = Method::Sgd;
  double learning_rate = 0.1;
  double momentum = 0.9;

  void visit(Fields& f) {
    f.choice("method", method, kMethods, {.help = "update rule"});
    f.field("learning_rate", learning_rate, {.help = "step size", .min = 0});
    f.field("momentum", momentum, {.help = "decay of the velocity", .min = 0, .max = 1});
  }
};

struct Experiment {
  std::string name;
  int64_t epochs = 3;
  int64_t seed = 1;
  bool verbose = false;
  double timeout_s = 60;
  std::vector<std::string> tags = {"first run", "true"};
  std::vector<int64_t> widths = {16, 32};
  std::vector<double> rates = {0.5, 1};
  Optimiser optimiser;
  std::vector<Layer> layers = {Layer{8, 0}, Layer{16, 0.5}};

  void visit(Fields& f) {
    f.field("name", name, {.help = "what the run is called", .required = true});
    f.field("epochs", epochs, {.help = "passes over the data", .min = 1, .max = 1000});
    f.field("seed", seed, {.help = "of every random number"});
    f.field("verbose", verbose, {.help = "log every step"});
    f.field("timeout_s", timeout_s, {.help = "longest run", .unit = "s", .min = 0});
    f.field("tags", tags, {.help = "words to find it by"});
    f.field("widths", widths, {.help = "channels of each stage", .min = 1, .max = 512});
    f.field("rates", rates, {.help = "a | b", .min = 0, .max = 1});
    f.group("optimiser", optimiser, "how weights change");
    f.list("layers", layers, "from input to output");
  }
};

inline Experiment read(std::string_view text) {
  return read_options<Experiment>(parse_config_text(text, "a.yaml"));
}

}  // namespace coppice::core::config_test
