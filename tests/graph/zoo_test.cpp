#include "graph/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "graph/cost.h"
#include "graph/models.h"
#include "graph/pass.h"

namespace coppice::graph {
namespace {

using testing::fashion_input;
using ::testing::HasSubstr;
using testing::message_of;

int count(const Model& model, Op op) {
  return static_cast<int>(std::count_if(model.graph.nodes.begin(),
                                        model.graph.nodes.end(),
                                        [&](const Node& n) { return n.op == op; }));
}

TEST(Zoo, EveryNetworkStartsWithBytesAndEndsWithLogits) {
  for (const std::string& name : zoo().names()) {
    SCOPED_TRACE(name);
    auto example = testing::zoo_example(name);
    example.options.dropout = 0.1;
    const Model model = build_model(example.options, example.input, 1);
    EXPECT_NO_THROW(verify(model));
    const Node& input = model.graph.nodes.front();
    EXPECT_EQ(input.dtype, DType::U8);
    Shape sample = example.input.sample_shape;
    sample.insert(sample.begin(), kBatch);
    EXPECT_EQ(input.shape, sample);
    if (name.ends_with("autoencoder")) {
      EXPECT_EQ(model.graph.outputs, (std::vector<std::string>{"reconstruction", "target"}));
      EXPECT_EQ(model.graph.at("reconstruction").shape, sample);
      EXPECT_EQ(model.graph.at("target").shape, sample);
      EXPECT_EQ(model.metadata.task, "reconstruction");
      continue;
    }
    EXPECT_EQ(model.graph.outputs, std::vector<std::string>{"logits"});
    EXPECT_EQ(model.graph.nodes.back().name, "logits");
    EXPECT_EQ(model.graph.at("logits").shape, (Shape{-1, 10}));
    const int drops = takes_option(name, "dropout") ? name == "tcn" ? 4 : 1 : 0;
    EXPECT_EQ(count(model, Op::Dropout), drops);
    EXPECT_EQ(model.metadata.class_names, fashion_input().class_names);
    EXPECT_FLOAT_EQ(model.weight("sub1.value").data<float>()[0], 72.9F);
    EXPECT_FLOAT_EQ(model.weight("div1.value").data<float>()[0], 90.F);
  }
}

TEST(Zoo, TheSameSeedGivesTheSameModel) {
  for (const std::string& name : zoo().names()) {
    const auto [options, input] = testing::zoo_example(name);
    const std::string hash = content_hash(build_model(options, input, 5));
    EXPECT_EQ(hash, content_hash(build_model(options, input, 5)));
    EXPECT_NE(hash, content_hash(build_model(options, input, 6)));
  }
}

TEST(Zoo, CnnHasItsStages) {
  ModelOptions options;
  options.depth = 2;
  const Model model = build_model(options, fashion_input(), 1);
  EXPECT_EQ(count(model, Op::Conv), 6);
  EXPECT_EQ(count(model, Op::BatchNorm), 6);
  EXPECT_EQ(count(model, Op::MaxPool), 2);
  EXPECT_EQ(count(model, Op::GlobalAveragePool), 1);
  EXPECT_EQ(model.graph.at("conv6").shape, (Shape{-1, 64, 7, 7}));
  EXPECT_EQ(model.graph.at("conv1").inputs.size(), 2U);  // BN has the bias
}

TEST(Zoo, CnnCostsWhatPaperAndPencilSay) {
  const Cost c = cost(build_model({}, fashion_input(), 1));
  EXPECT_EQ(c.macs, 784 * 9 * 16 + 196 * 9 * 16 * 32 + 49 * 9 * 32 * 64 + 640);
  EXPECT_EQ(c.parameters, 9 * 16 + 9 * 16 * 32 + 9 * 32 * 64 + 2 * (16 + 32 + 64) + 640 + 10);
}

TEST(Zoo, MlpTakesFeaturesAndImages) {
  ModelOptions options;
  options.name = "mlp";
  options.widths = {20};
  ModelInput input = fashion_input();
  EXPECT_EQ(count(build_model(options, input, 1), Op::Flatten), 1);
  input.dtype = DType::F32;
  input.sample_shape = {12};
  input.mean.assign(12, 1);
  input.std.assign(12, 2);
  const Model model = build_model(options, input, 1);
  EXPECT_EQ(count(model, Op::Flatten), 0);
  EXPECT_EQ(cost(model).parameters, 12 * 20 + 20 + 20 * 10 + 10);
}

/// A residual network whose branches start with scale 0 is one of its shortcuts at first.
TEST(Zoo, ZeroInitSilencesEveryResidualBranch) {
  for (const auto& [name, branches] : {std::pair{"resnet", 6}, {"mobilenet_v2", 10}}) {
    auto [options, input] = testing::zoo_example(name);
    options.depth = 3;
    options.width_multiplier = 1;
    options.zero_init = true;
    const Model model = build_model(options, input, 1);
    int silent = 0;
    for (const Node& node : model.graph.nodes) {
      if (node.op == Op::BatchNorm && model.weight(node.inputs[1]).data<float>()[0] == 0) {
        ++silent;
        const auto consumers = model.graph.consumers(node.name);
        ASSERT_EQ(consumers.size(), 1U);
        EXPECT_EQ(consumers[0]->op, Op::Add) << name;
      }
    }
    EXPECT_EQ(silent, branches) << name;
  }
}

/// Huang et al. (ECCV 2016), equation 4: the chance to stay falls linearly from 1 to that of the
/// last block.
TEST(Zoo, DropPathGrowsLinearly) {
  auto [options, input] = testing::zoo_example("resnet");
  options.widths = {4, 8};
  options.depth = 2;
  options.drop_path = 0.4;
  std::vector<float> rates;
  const Model model = build_model(options, input, 1);
  for (const Node& node : model.graph.nodes) {
    if (node.op == Op::Dropout) {
      EXPECT_EQ(node.as<DropoutAttributes>().grain, DropoutGrain::Sample);
      EXPECT_EQ(model.graph.consumers(node.name).at(0)->op, Op::Add);
      rates.push_back(node.as<DropoutAttributes>().rate);
    }
  }
  EXPECT_THAT(rates,
              ::testing::ElementsAre(::testing::FloatEq(0.1F),
                                     ::testing::FloatEq(0.2F),
                                     ::testing::FloatEq(0.3F),
                                     ::testing::FloatEq(0.4F)));
  EXPECT_EQ(count(run_passes(model, inference_passes()), Op::Dropout), 0);
}

TEST(Zoo, TcnSeesThePastOnly) {
  auto [options, input] = testing::zoo_example("tcn");
  options.widths = {4, 4, 6};
  options.kernel = 5;
  options.dropout = 0.2;
  const Model model = build_model(options, input, 1);
  std::vector<int64_t> dilations;
  for (const Node& node : model.graph.nodes) {
    if (node.op == Op::Conv && node.as<ConvAttributes>().kernel[1] > 1) {
      const auto& conv = node.as<ConvAttributes>();
      dilations.push_back(conv.dilation[1]);
      EXPECT_EQ(conv.pads, (Shape{0, 4 * conv.dilation[1], 0, 0}));
      EXPECT_EQ(node.shape[3], 20);
    } else if (node.op == Op::Dropout) {
      EXPECT_EQ(node.as<DropoutAttributes>().grain, DropoutGrain::Channel);
    }
  }
  EXPECT_THAT(dilations, ::testing::ElementsAre(1, 1, 2, 2, 4, 4));
  EXPECT_EQ(model.graph.at("slice1").as<SliceAttributes>(), (SliceAttributes{3, 19, 20}));
}

TEST(Zoo, AutoencodersMirrorTheirEncoder) {
  auto [options, input] = testing::zoo_example("autoencoder");
  options.widths = {64, 16};
  input.sample_shape = {12};
  const Model dense = build_model(options, input, 1);
  EXPECT_EQ(cost(dense).parameters, 12 * 64 + 64 + 64 * 16 + 16 + 16 * 64 + 64 + 64 * 12 + 12);
  EXPECT_EQ(dense.graph.at("gemm2").shape, (Shape{-1, 16}));
  options.name = "conv_autoencoder";
  for (const Shape& sample : {Shape{3, 28, 21}, Shape{2, 50}}) {  // halves that are no halves, too
    input.sample_shape = sample;
    options.widths = {8, 6, 4};
    const Model model = build_model(options, input, 1);
    EXPECT_EQ(count(model, Op::Resize), 3);
    Shape expected = sample;
    expected.insert(expected.begin(), kBatch);
    EXPECT_EQ(model.graph.at("reconstruction").shape, expected);
  }
}

TEST(Zoo, HeadsFollowTheTask) {
  for (const std::string& name : zoo().names()) {
    SCOPED_TRACE(name);
    if (!takes_option(name, "head")) {
      continue;
    }
    auto [options, input] = testing::zoo_example(name);
    input.class_names = {};
    options.head = Head::Regressor;
    EXPECT_THAT(
        message_of(core::ErrorKind::InvalidArgument, [&] { build_model(options, input, 1); }),
        HasSubstr("no values to predict"));
    input.outputs = 3;
    const Model regressor = build_model(options, input, 1);
    EXPECT_EQ(regressor.graph.at("prediction").shape, (Shape{-1, 3}));
    EXPECT_EQ(regressor.metadata.task, "regression");
    options.head = Head::None;
    const Model features = build_model(options, input, 1);
    EXPECT_EQ(features.graph.find("prediction"), nullptr);
    EXPECT_EQ(features.graph.outputs, std::vector<std::string>{features.graph.nodes.back().name});
  }
}

TEST(Zoo, RefusesOptionsThatDoNotFit) {
  const auto invalid = core::ErrorKind::InvalidArgument;
  const auto refusal = [&](const ModelOptions& options, const ModelInput& input) {
    return message_of(invalid, [&] { build_model(options, input, 1); });
  };
  ModelOptions options;
  ModelInput input = fashion_input();
  input.sample_shape = {784};
  EXPECT_THAT(refusal(options, input), HasSubstr("'cnn' takes images"));
  input = fashion_input();
  options.widths = {4, 4, 4, 4, 4, 4};
  EXPECT_THAT(refusal(options, input),
              HasSubstr("node 'max_pool5' (MaxPool): kernel [2, 2] does not fit"));
  options.widths = {};
  EXPECT_THAT(refusal(options, input), HasSubstr("at least one stage"));
  options.widths = {0};
  EXPECT_THAT(refusal(options, input), HasSubstr("every width"));
  options = {};
  options.dropout = 1;
  EXPECT_THAT(refusal(options, input), HasSubstr("dropout"));
  options = {};
  options.drop_path = -0.1;
  EXPECT_THAT(refusal(options, input), HasSubstr("drop_path"));
  options = {};
  options.name = "tcn";
  EXPECT_THAT(refusal(options, input), HasSubstr("'tcn' takes windows [channels, time]"));
  options = {};
  options.depth = 0;
  EXPECT_THAT(refusal(options, input), HasSubstr("depth"));
  input.mean = {1, 2, 3};
  EXPECT_THAT(refusal({}, input), HasSubstr("3 values for 1 channels"));
  input = fashion_input();
  input.std = {0};
  EXPECT_THAT(refusal({}, input), HasSubstr("must be positive"));
  input = fashion_input();
  input.class_names = {};
  EXPECT_THAT(refusal({}, input), HasSubstr("no classes"));
  options.depth = 1;
  options.name = "cnm";
  EXPECT_THAT(
      message_of(core::ErrorKind::NotFound, [&] { build_model(options, fashion_input(), 1); }),
      HasSubstr("did you mean 'cnn'"));
}

TEST(ModelOptions, ReadFromYaml) {
  const auto options = core::read_options<ModelOptions>(
      core::parse_config_text("{name: resnet, widths: [8, 16], depth: 2, dropout: 0.3}", "test"));
  EXPECT_EQ(options.name, "resnet");
  EXPECT_EQ(options.widths, (std::vector<int64_t>{8, 16}));
  EXPECT_EQ(options.depth, 2);
  EXPECT_DOUBLE_EQ(options.dropout, 0.3);
  EXPECT_THROW(core::read_options<ModelOptions>(core::parse_config_text("{name: vgg}", "test")),
               core::Error);
}

TEST(ModelOptions, TakeTheFieldsOfTheNetworkOnly) {
  const auto read = [](const char* text) {
    return core::read_options<ModelOptions>(core::parse_config_text(text, "test"));
  };
  const auto refusal = [&](const char* text) {
    return message_of(core::ErrorKind::Config, [&] { read(text); });
  };
  EXPECT_EQ(read("{name: resnet18, stem: imagenet, drop_path: 0.1}").stem, Stem::Imagenet);
  EXPECT_EQ(read("{name: ds_cnn, size: m}").size, Size::Medium);
  EXPECT_EQ(read("{name: mlp, head: regressor}").head, Head::Regressor);
  EXPECT_THAT(refusal("{name: mlp, depth: 2}"), HasSubstr("test:1:13: unknown key 'depth'"));
  EXPECT_THAT(refusal("{name: cnn, stem: small}"), HasSubstr("unknown key 'stem'"));
  EXPECT_THAT(refusal("{name: mobilenet_v2, stem: tiny}"), HasSubstr("small, imagenet"));
  for (const std::string& name : zoo().names()) {
    ModelOptions options = testing::zoo_example(name).options;
    const std::string text = core::dump_options(options);
    const auto back = core::read_options<ModelOptions>(core::parse_config_text(text, "dump"));
    EXPECT_EQ(core::dump_options(back), text);
  }
}

TEST(ModelOptions, TheReferencePageListsEveryField) {
  ModelOptions options;
  const auto visit = [&](core::Fields& f) {
    options.visit(f);
  };
  const std::string page = core::reference_page(visit, "model");
  const std::string schema = core::json_schema(visit, "model");
  for (const char* field : {"stem", "size", "kernel", "drop_path", "zero_init", "dilation"}) {
    EXPECT_THAT(page, HasSubstr(field));
    EXPECT_THAT(schema, HasSubstr(field));
  }
}

}  // namespace
}  // namespace coppice::graph
