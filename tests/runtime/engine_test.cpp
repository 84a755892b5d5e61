#include "runtime/engine.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "core/rng.h"
#include "runtime/models.h"
#include "runtime/profile.h"

namespace coppice::runtime::testing {
namespace {

using graph::DType;
using graph::Op;
using graph::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

graph::Model small_cnn(uint64_t seed = 1) {
  return random_network({"cnn", {6, 10}, 1, 0.3}, image_input(1, 12), seed);
}

Tensor images(int64_t count, uint64_t seed = 9) {
  return random_integers(DType::U8, {count, 1, 12, 12}, seed);
}

/// What every backend promises.
class AnyBackend : public ::testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Engine> build(const graph::Model& model,
                                       int64_t max_batch = 4,
                                       int64_t threads = 1) {
    return build_engine(model, {GetParam(), threads, max_batch});
  }
};

INSTANTIATE_TEST_SUITE_P(Backends,
                         AnyBackend,
                         ::testing::ValuesIn(backends()),
                         [](const auto& test) { return test.param; });

TEST_P(AnyBackend, NamesItselfAndItsPreparedModel) {
  const auto engine = build(small_cnn());
  EXPECT_EQ(engine->backend(), GetParam());
  for (const graph::Node& node : engine->model().graph.nodes) {
    EXPECT_NE(node.op, Op::Dropout);
    EXPECT_NE(node.op, Op::BatchNorm);
  }
  EXPECT_GT(engine->arena_bytes(), 0);
}

TEST_P(AnyBackend, RefusesWhatDoesNotFit) {
  const auto engine = build(small_cnn());
  std::vector<Tensor> out{Tensor(DType::F32, {2, 10})};
  const auto run = [&](std::vector<Tensor> in) {
    engine->run(in, out);
  };
  EXPECT_ERROR(run({}), InvalidArgument, HasSubstr("takes 1 inputs and 1 outputs, not 0 and 1"));
  EXPECT_ERROR(run({Tensor(DType::F32, {2, 1, 12, 12})}),
               InvalidArgument,
               AllOf(HasSubstr("input 'input' must be u8 [2, 1, 12, 12]"), HasSubstr("not f32")));
  EXPECT_ERROR(
      run({Tensor(DType::U8, {2, 1, 12, 13})}), InvalidArgument, HasSubstr("[2, 1, 12, 13]"));
  EXPECT_ERROR(run({Tensor(DType::U8, {2, 144})}), InvalidArgument, HasSubstr("input 'input'"));
  EXPECT_ERROR(run({Tensor(DType::U8, {5, 1, 12, 12})}), InvalidArgument, HasSubstr("batch 5"));
  EXPECT_ERROR(run({Tensor(DType::U8, {0, 1, 12, 12})}), InvalidArgument, HasSubstr("batch 0"));
  EXPECT_ERROR(run({images(3)}), InvalidArgument, HasSubstr("output 'logits' must be f32 [3, 10]"));
  out[0] = Tensor(DType::U8, {2, 10});
  EXPECT_ERROR(run({images(2)}), InvalidArgument, HasSubstr("not u8"));
  out.clear();
  EXPECT_ERROR(run({images(2)}), InvalidArgument, HasSubstr("not 1 and 0"));
}

/// A few hundred bytes of a file can ask for terabytes; nothing may be allocated for them.
TEST_P(AnyBackend, RefusesActivationsBeyondItsMemoryBeforeTheyAreAllocated) {
  const graph::Model huge = make_model(
      {random_floats({1, 1, 4, 4}, 1)},
      {},
      {make_node("larger",
                 Op::Resize,
                 {"x0"},
                 graph::ResizeAttributes{{}, graph::ResizeMode::Nearest, {40'000, 50'000}}),
       make_node("mean", Op::GlobalAveragePool, {"larger"})});
  EXPECT_ERROR(build(huge),
               Unsupported,
               AllOf(HasSubstr("memory_mb: 4000"),
                     HasSubstr("node 'larger' (Resize) of shape [-1, 1, 40000, 50000]")));
  EXPECT_ERROR(build_engine(huge, {.backend = GetParam(), .max_batch = 65536}),
               Unsupported,
               HasSubstr("activations of 65536 samples take 524288"));
  const graph::Model model = small_cnn();
  EXPECT_ERROR(build_engine(model, {.backend = GetParam(), .max_batch = 4096, .memory_mb = 1}),
               Unsupported,
               HasSubstr("memory_mb: 1;"));
  EXPECT_NO_THROW(build_engine(model, {.backend = GetParam(), .max_batch = 4, .memory_mb = 1}));
}

TEST_P(AnyBackend, GivesTheSameForEverySplitOfABatch) {
  const graph::Model model = small_cnn();
  const Tensor samples = images(83);
  const auto one_by_one = build(model, 1);
  const Tensor expected = run_all(*one_by_one, samples, 1);
  for (const int64_t max_batch : {2, 7, 8, 20, 64, 83, 100}) {
    const auto engine = build(model, max_batch);
    const Tensor result = run_all(*engine, samples, max_batch);
    EXPECT_EQ(argmax_rows(result), argmax_rows(expected));
    EXPECT_LT(relative_difference(result, expected), 1e-5) << "max_batch " << max_batch;
  }
}

TEST_P(AnyBackend, GivesTheSameWithTwoThreads) {
  const graph::Model model = small_cnn();
  const auto alone = build(model, 16);
  const auto together = build(model, 16, 2);
  const Tensor expected = run_all(*alone, images(16), 16);
  EXPECT_LT(relative_difference(run_all(*together, images(16), 16), expected), 1e-5);
}

TEST_P(AnyBackend, OneThreadStartsNoOther) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  const auto engine = build(small_cnn(), 16);
  run_all(*engine, images(16), 16);
  EXPECT_EQ(threads(), before);
}

TEST_P(AnyBackend, RunsAreIndependentAndRepeatable) {
  const auto engine = build(small_cnn());
  const Tensor first = run_engine(*engine, {images(3, 1)})[0];
  run_engine(*engine, {images(4, 2)});
  const Tensor again = run_engine(*engine, {images(3, 1)})[0];
  EXPECT_TRUE(std::ranges::equal(first.data<float>(), again.data<float>()));
}

TEST_P(AnyBackend, SeveralEnginesRunSideBySide) {
  constexpr size_t kThreads = 4;
  const Tensor samples = images(20);
  std::vector<Tensor> alone(kThreads);
  std::vector<Tensor> together(kThreads);
  for (size_t i = 0; i < kThreads; ++i) {
    alone[i] = run_all(*build(small_cnn(i + 1), 8), samples, 8);
  }
  std::vector<std::thread> threads;
  const std::string backend = GetParam();
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const auto engine = build_engine(small_cnn(i + 1), {backend, 1, 8});
      for (int repeat = 0; repeat < 20; ++repeat) {
        together[i] = run_all(*engine, samples, 8);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (size_t i = 0; i < kThreads; ++i) {
    EXPECT_TRUE(std::ranges::equal(alone[i].data<float>(), together[i].data<float>())) << i;
  }
}

TEST_P(AnyBackend, ManyInputsAndOutputsKeepTheirOrder) {
  const Tensor a = random_floats({3, 2, 4, 4}, 1);
  const Tensor b = random_floats({3, 2, 4, 4}, 2);
  graph::Model model = make_model({a, b},
                                  {},
                                  {make_node("difference", Op::Sub, {"x0", "x1"}),
                                   make_node("positive", Op::Relu, {"difference"}),
                                   make_node("rows", Op::Flatten, {"positive"})});
  model.graph.outputs = {"rows", "x1", "difference", "positive"};
  const std::vector<Tensor> outputs = run_model(model, {a, b}, GetParam());
  for (size_t i = 0; i < a.data<float>().size(); ++i) {
    const float difference = a.data<float>()[i] - b.data<float>()[i];
    EXPECT_EQ(outputs[0].data<float>()[i], std::max(difference, 0.0F));
    EXPECT_EQ(outputs[1].data<float>()[i], b.data<float>()[i]);
    EXPECT_EQ(outputs[2].data<float>()[i], difference);
    EXPECT_EQ(outputs[3].data<float>()[i], std::max(difference, 0.0F));
  }
}

TEST_P(AnyBackend, MeasuresLatency) {
  const auto engine = build(small_cnn(), 1);
  const Latency latency = measure_latency(*engine, 50, 5);
  EXPECT_EQ(latency.runs, 50);
  EXPECT_GT(latency.median_us, 0);
  EXPECT_LE(latency.median_us, latency.p90_us);
  EXPECT_LE(latency.p90_us, latency.p99_us);
  EXPECT_ERROR(measure_latency(*engine, 0, 0), InvalidArgument, HasSubstr("at least one run"));
}

TEST_P(AnyBackend, AProfiledRunGivesTheSameAndTellsEveryStep) {
  const auto engine = build(small_cnn());
  const std::vector<Tensor> inputs{images(3)};
  std::vector<Tensor> outputs{Tensor(DType::F32, {3, 10})};
  const std::vector<StepTime> steps = engine->run_profiled(inputs, outputs);
  EXPECT_EQ(relative_difference(outputs[0], run_engine(*engine, inputs)[0]), 0);
  ASSERT_FALSE(steps.empty());
  for (const StepTime& step : steps) {
    EXPECT_FALSE(step.node.empty());
    EXPECT_FALSE(step.work.empty());
    EXPECT_GE(step.micros, 0);
  }
  const auto again = measure_steps(*engine, {.runs = 5, .warm_up = 1, .batch = 3});
  ASSERT_EQ(again.size(), steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(again[i].node, steps[i].node);
    EXPECT_EQ(again[i].work, steps[i].work);
  }
  EXPECT_ERROR(engine->run_profiled({}, outputs), InvalidArgument, HasSubstr("takes 1 inputs"));
}

TEST(Summarise, TakesTheNearestRank) {
  std::vector<double> micros(100);
  for (size_t i = 0; i < micros.size(); ++i) {
    micros[i] = static_cast<double>(100 - i);
  }
  const Latency latency = summarise(micros);
  EXPECT_EQ(latency.median_us, 50);
  EXPECT_EQ(latency.p90_us, 90);
  EXPECT_EQ(latency.p99_us, 99);
  EXPECT_EQ(latency.mean_us, 50.5);
  EXPECT_EQ(latency.runs, 100);
}

TEST(BuildEngine, NamesTheNearestBackend) {
  EXPECT_ERROR(build_engine(small_cnn(), {"onednm", 1, 1}),
               NotFound,
               AllOf(HasSubstr("unknown backend 'onednm'"), HasSubstr("did you mean 'onednn'")));
  EXPECT_ERROR(
      build_engine(small_cnn(), {"first", 0, 1}), InvalidArgument, HasSubstr("at least 1"));
  EXPECT_ERROR(
      build_engine(small_cnn(), {"first", 1, 0}), InvalidArgument, HasSubstr("at least 1"));
}

TEST(EngineOptionsFields, AreCheckedAndDumped) {
  const auto read = [](const std::string& text) {
    return core::read_options<EngineOptions>(core::parse_config_text(text, "engine.yaml"));
  };
  const EngineOptions options = read("backend: reference\nthreads: 2\nmax_batch: 32\n");
  EXPECT_EQ(options.backend, "reference");
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.max_batch, 32);
  EXPECT_ERROR(read("backend: gpu\n"), Config, HasSubstr("engine.yaml:1"));
  EXPECT_ERROR(read("threads: 0\n"), Config, HasSubstr("threads"));
  EXPECT_ERROR(read("batch: 3\n"), Config, HasSubstr("max_batch"));
  for (const std::string& name : backends()) {
    EXPECT_EQ(read("backend: " + name).backend, name);
  }
}

TEST(BuildEngine, FirstTakesTheFirstThatRunsTheModel) {
  EXPECT_EQ(build_engine(small_cnn())->backend(), backends().front());
  const graph::Model asymmetric = to_qdq(small_cnn(), images(8), {.asymmetric = true});
  EXPECT_ERROR(build_engine(asymmetric, {"onednn", 1, 1}),
               Unsupported,
               AllOf(HasSubstr("QuantizeLinear"), HasSubstr("zero point")));
  const auto engine = build_engine(asymmetric);
  EXPECT_EQ(engine->backend(), "xnnpack");
  EXPECT_THAT(std::string(engine->reason()), HasSubstr("onednn does not take it"));
}

TEST(BuildEngine, AnInvalidModelIsRefused) {
  graph::Model model = small_cnn();
  model.graph.outputs = {"nothing"};
  EXPECT_ERROR(build_engine(model), InvalidArgument, HasSubstr("nothing"));
}

TEST(Arguments, ArgmaxTakesTheLowestIndexOfATie) {
  const std::vector<float> values{1, 3, 3, -1, -1, -2, 0, 0, 0};
  EXPECT_THAT(argmax_rows(Tensor::from<float>({3, 3}, values)), ElementsAre(1, 0, 0));
  EXPECT_ERROR(argmax_rows(Tensor(DType::F32, {3})), InvalidArgument, HasSubstr("argmax_rows"));
  EXPECT_ERROR(argmax_rows(Tensor(DType::U8, {3, 3})), InvalidArgument, HasSubstr("u8"));
}

TEST(Arguments, SoftmaxOfLargeLogitsSumsToOne) {
  const std::vector<float> values{1000, 1001, 0, -1e30F, -1e30F, -1e30F};
  const Tensor logits = Tensor::from<float>({2, 3}, values);
  const Tensor result = softmax_rows(logits);
  EXPECT_NEAR(result.data<float>()[1], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_NEAR(result.data<float>()[3], 1.0 / 3, 1e-6);
  EXPECT_EQ(logits.data<float>()[0], 1000);
}

TEST(Arguments, RunAllRefusesABatchTheEngineLacks) {
  const auto engine = build_engine(small_cnn(), {"first", 1, 2});
  EXPECT_ERROR(run_all(*engine, images(5), 5), InvalidArgument, HasSubstr("batch 5"));
  EXPECT_ERROR(run_all(*engine, images(5), 0), InvalidArgument, HasSubstr("at least 1"));
  EXPECT_EQ(run_all(*engine, images(5), 2).dim(0), 5);
}

}  // namespace
}  // namespace coppice::runtime::testing
