#include "c_source/compiled.h"

#include <algorithm>
#include <cstring>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/models.h"
#include "system/program.h"

namespace coppice::c_source::testing {

namespace {

using graph::Tensor;

std::vector<std::string> host_command(const std::string& source, const std::string& library) {
  std::vector<std::string> command{C_COMPILER,
                                   "-std=c99",
                                   "-Wall",
                                   "-Wextra",
                                   "-Werror",
                                   "-pedantic",
                                   "-O1",
                                   "-shared",
                                   "-fPIC"};
  if (SANITIZE) {
    command.insert(command.end(), {"-fsanitize=address,undefined", "-fno-sanitize-recover=all"});
  }
  command.insert(command.end(), {source, "-o", library, "-lm"});
  return command;
}

/// Calls a function of so many pointers.
int call(void* function, const std::vector<void*>& p) {
  switch (p.size()) {
    case 2:
      return reinterpret_cast<int (*)(void*, void*)>(function)(p[0], p[1]);
    case 3:
      return reinterpret_cast<int (*)(void*, void*, void*)>(function)(p[0], p[1], p[2]);
    default:
      ADD_FAILURE() << "a model with " << p.size() << " inputs and outputs";
      return -1;
  }
}

}  // namespace

Compiled::Compiled(const graph::Model& model, const Options& options)
    : source_(generate(model, options)) {
  write_files(source_, folder_.path());
  for (const std::string& name : model.graph.outputs) {
    outputs_.push_back(model.graph.at(name));
  }
  const std::string library = (folder_.path() / "model.so").string();
  const auto outcome = coppice::testing::run_program(
      host_command((folder_.path() / (source_.prefix + ".c")).string(), library));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library_, nullptr) << dlerror();
}

Compiled::~Compiled() {
  if (library_ != nullptr) {
    dlclose(library_);
  }
}

void* Compiled::symbol(const std::string& name) const {
  return library_ == nullptr ? nullptr : dlsym(library_, name.c_str());
}

std::vector<Tensor> Compiled::run(const std::vector<Tensor>& inputs) const {
  const int64_t batch = inputs.at(0).dim(0);
  std::vector<Tensor> outputs;
  for (const graph::Node& node : outputs_) {
    graph::Shape shape = node.shape;
    shape[0] = batch;
    outputs.emplace_back(node.dtype, shape);
  }
  void* run = symbol(source_.prefix + "_run");
  EXPECT_NE(run, nullptr);
  for (int64_t n = 0; n < batch && run != nullptr; ++n) {
    std::vector<void*> pointers;
    const auto add = [&](const Tensor& tensor) {
      pointers.push_back(tensor.shared_bytes().get() + tensor.bytes_size() / batch * n);
    };
    for (const Tensor& input : inputs) {
      add(input);
    }
    for (const Tensor& output : outputs) {
      add(output);
    }
    EXPECT_EQ(call(run, pointers), 0);
  }
  return outputs;
}

void expect_reference_outputs(const graph::Model& model, const std::vector<Tensor>& inputs) {
  const Compiled compiled(model);
  const std::vector<Tensor> got = compiled.run(inputs);
  const std::vector<Tensor> expected = runtime::testing::run_model(model, inputs, "reference");
  ASSERT_EQ(got.size(), expected.size());
  const bool integer =
      std::any_of(model.graph.nodes.begin(), model.graph.nodes.end(), [](const graph::Node& node) {
        return node.op == graph::Op::QuantizeLinear;
      });
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].dtype(), expected[i].dtype());
    if (integer || got[i].dtype() != graph::DType::F32) {
      EXPECT_EQ(std::memcmp(
                    got[i].bytes(), expected[i].bytes(), static_cast<size_t>(got[i].bytes_size())),
                0)
          << "output " << i;
    } else {
      EXPECT_LE(runtime::testing::relative_difference(got[i], expected[i]), 1e-6);
    }
  }
}

}  // namespace coppice::c_source::testing
