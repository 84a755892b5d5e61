#pragma once

#include <string>
#include <vector>

#include "core/fields.h"
#include "core/registry.h"
#include "graph/graph.h"
#include "graph/layer_options.h"

namespace coppice::graph {

/// What a network ends with.
enum class Head {
  Classifier,  ///< logits [batch, classes] of a node "logits"
  Regressor,   ///< values [batch, outputs] of a node "prediction"
  None,        ///< the features as they are
};

/// How a network for photographs begins.
enum class Stem {
  Small,     ///< for images of about 32 x 32: without the early strides and pooling
  Imagenet,  ///< as published, for 224 x 224
};

enum class Size { Small, Medium, Large };

/// A network by name and options. Configurations take the options of the network only (see
/// takes_option); here the others are ignored.
struct ModelOptions {
  std::string name = "cnn";
  std::vector<int64_t> widths{
      16, 32, 64};     ///< channels of each stage, or units of each hidden layer (mlp, autoencoder)
  int64_t depth = 1;   ///< convolutions per stage (cnn, cnn1d) or blocks per stage (resnet)
  double dropout = 0;  ///< before the head; of whole channels inside the blocks (tcn)
  Head head = Head::Classifier;
  Stem stem = Stem::Small;           ///< resnet18, mobilenet_v2
  double width_multiplier = 1;       ///< resnet18, mobilenet_v2
  Size size = Size::Small;           ///< ds_cnn
  int64_t kernel = 3;                ///< along time (cnn1d, tcn)
  double drop_path = 0;              ///< stochastic depth: chance to drop the last residual branch
                                     ///< for a sample; falls linearly towards the first (resnets)
  bool zero_init = false;            ///< scale 0 of the last BN of each residual branch (resnets)
  std::vector<LayerOptions> layers = {};  ///< layers

  void visit(core::Fields& f);
};

/// What the data says: raw input, and what is to be predicted.
struct ModelInput {
  DType dtype = DType::U8;
  Shape sample_shape{1, 28, 28};  ///< channels, height, width; or channels, time; or features
  std::vector<double> mean{0};    ///< per channel (or feature), in raw units; goes into the graph
  std::vector<double> std{1};
  std::vector<std::string> class_names;  ///< of a classifier
  int64_t outputs = 0;                   ///< values that a regressor predicts
};

using ModelBuilder = Model (*)(const ModelOptions&, const ModelInput&, uint64_t seed);

/// Every network by name. Classifiers and regressors have one output (see Head). The auto-encoders
/// have two of the sample's shape, both standardised: "reconstruction", and "target", which is the
/// input that it is to equal; so a device computes the error from the artefact alone.
const core::Registry<ModelBuilder>& zoo();

/// Whether the network has use for the field of ModelOptions; false for unknown ones.
bool takes_option(std::string_view network, std::string_view option);

/// Throws Error{NotFound} for an unknown name, Error{InvalidArgument} for options that do not fit
/// the input.
Model build_model(const ModelOptions& options, const ModelInput& input, uint64_t seed);

}  // namespace coppice::graph
