#include "graph/zoo.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

struct Network {
  std::string_view name;
  ModelBuilder build;
  std::string_view help;
  std::vector<std::string_view> options;  ///< besides the name
};

const std::vector<Network>& networks() {
  static const std::vector<Network> kNetworks{
      {"mlp", build_mlp, "fully connected layers with ReLU", {"widths", "dropout", "head"}},
      {"lenet_300_100",
       build_lenet_300_100,
       "the fully connected network of LeCun et al. (1998) with ReLU",
       {"dropout", "head"}},
      {"lenet5",
       build_lenet5,
       "LeNet-5 in Caffe's shape, 20-50-500 (as in Deep Compression, Han et al., ICLR 2016)",
       {"dropout", "head"}},
      {"cnn",
       build_cnn,
       "stages of 3x3 convolution, BN, ReLU and pooling",
       {"widths", "depth", "dropout", "head"}},
      {"resnet",
       build_resnet,
       "residual network for small images (He et al., CVPR 2016); widths [16, 32, 64] with depth "
       "3, 5, 9: ResNet-20, 32, 56",
       {"widths", "depth", "dropout", "drop_path", "zero_init", "head"}},
      {"resnet18",
       build_resnet18,
       "ResNet-18 (He et al., CVPR 2016)",
       {"stem", "width_multiplier", "dropout", "drop_path", "zero_init", "head"}},
      {"mobilenet_v2",
       build_mobilenet_v2,
       "inverted residuals and linear bottlenecks (Sandler et al., CVPR 2018)",
       {"stem", "width_multiplier", "dropout", "drop_path", "zero_init", "head"}},
      {"ds_cnn",
       build_ds_cnn,
       "depthwise separable CNN for keyword spotting (Zhang et al., Hello Edge, 2017)",
       {"size", "dropout", "head"}},
      {"cnn1d",
       build_cnn1d,
       "stages of convolution along time, BN, ReLU and pooling, for sensor windows",
       {"widths", "depth", "kernel", "dropout", "head"}},
      {"tcn",
       build_tcn,
       "dilated causal convolutions with residuals for sensor windows (Bai et al., 2018)",
       {"widths", "kernel", "dropout", "head"}},
      {"autoencoder", build_autoencoder, "fully connected auto-encoder", {"widths"}},
      {"conv_autoencoder",
       build_conv_autoencoder,
       "convolutional auto-encoder for images and sensor windows",
       {"widths"}},
      {"layers", build_layers, "an explicit list of layers", {"layers", "head"}},
  };
  return kNetworks;
}

constexpr std::pair<Head, std::string_view> kHeads[] = {
    {Head::Classifier, "classifier"}, {Head::Regressor, "regressor"}, {Head::None, "none"}};
constexpr std::pair<Stem, std::string_view> kStems[] = {{Stem::Small, "small"},
                                                        {Stem::Imagenet, "imagenet"}};
constexpr std::pair<Size, std::string_view> kSizes[] = {
    {Size::Small, "s"}, {Size::Medium, "m"}, {Size::Large, "l"}};

}  // namespace

bool takes_option(std::string_view network, std::string_view option) {
  const auto it = std::find_if(networks().begin(), networks().end(), [&](const Network& known) {
    return known.name == network;
  });
  return it != networks().end() &&
         std::find(it->options.begin(), it->options.end(), option) != it->options.end();
}

void ModelOptions::visit(core::Fields& f) {
  f.field("name", name, {.help = "network of the zoo", .choices = zoo().names()});
  const auto offers = [&](std::string_view option) {
    return f.wants_every_field() || takes_option(name, option);
  };
  const auto offer = [&](std::string_view option, auto& value, const core::FieldInfo& info) {
    if (offers(option)) {
      f.field(option, value, info);
    }
  };
  offer("widths",
        widths,
        {.help = "channels of each stage, or units of each hidden layer (mlp, autoencoder)",
         .min = 1,
         .max = 65536});
  offer("depth",
        depth,
        {.help = "convolutions per stage (cnn, cnn1d) or blocks per stage (resnet)",
         .min = 1,
         .max = 1024});
  offer("kernel", kernel, {.help = "width of the convolutions along time", .min = 1, .max = 1024});
  if (offers("stem")) {
    f.choice("stem", stem, kStems, {.help = "small: for images of about 32 x 32; imagenet: 224"});
  }
  offer("width_multiplier",
        width_multiplier,
        {.help = "on the channels of every layer", .min = 0.05, .max = 4});
  if (offers("size")) {
    f.choice("size", size, kSizes, {.help = "of the paper's three"});
  }
  offer("dropout",
        dropout,
        {.help = "share zeroed in training: of features before the head, of channels inside the "
                 "blocks (tcn)",
         .min = 0,
         .max = 0.95});
  offer("drop_path",
        drop_path,
        {.help = "stochastic depth: chance to drop the last residual branch for a sample, falling "
                 "linearly towards the first",
         .min = 0,
         .max = 0.95});
  offer("zero_init", zero_init, {.help = "start the last BN of each residual branch with scale 0"});
  if (offers("layers")) {
    f.list("layers", layers, "the layers, first to last");
  }
  if (offers("head")) {
    f.choice("head", head, kHeads, {.help = "what the network ends with"});
  }
}

const core::Registry<ModelBuilder>& zoo() {
  static const auto kZoo = [] {
    core::Registry<ModelBuilder> registry("model");
    for (const Network& network : networks()) {
      registry.add(std::string(network.name), network.build, std::string(network.help));
    }
    return registry;
  }();
  return kZoo;
}

Model build_model(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  const auto refuse = [&](std::string_view why) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("model '{}': {}", options.name, why));
  };
  const ModelBuilder builder = zoo().get(options.name);
  if (options.depth < 1) {
    refuse("depth must be at least 1");
  }
  for (const auto& [what, rate] :
       {std::pair{"dropout", options.dropout}, {"drop_path", options.drop_path}}) {
    if (!(rate >= 0 && rate < 1)) {
      refuse(fmt::format("{} must lie in [0, 1)", what));
    }
  }
  if (options.name != "mlp" && takes_option(options.name, "widths") && options.widths.empty()) {
    refuse("widths must name at least one stage");
  }
  if (std::any_of(options.widths.begin(), options.widths.end(), [](int64_t w) { return w < 1; })) {
    refuse("every width must be at least 1");
  }
  if (options.kernel < 1) {
    refuse("kernel must be at least 1");
  }
  if (!(options.width_multiplier > 0 && options.width_multiplier <= 16)) {
    refuse("width_multiplier must lie in (0, 16]");
  }
  return builder(options, input, seed);
}

}  // namespace coppice::graph
