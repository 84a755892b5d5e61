#include "train/torchscript/torchscript.h"

#include <sstream>

#include <torch/csrc/jit/api/module.h>

#include "core/files.h"
#include "train/tensor_bridge.h"
#include "train/torchscript/script.h"

namespace coppice::train {

namespace {

torch::jit::Module module_of(const graph::Model& model) {
  const Script script = write_script(model);
  torch::jit::Module module("Network");
  module.register_attribute("training", c10::BoolType::get(), false);
  c10::List<std::string> names;
  for (const std::string& name : model.metadata.class_names) {
    names.push_back(name);
  }
  module.register_attribute("class_names", c10::ListType::create(c10::StringType::get()), names);
  for (const auto& [name, tensor] : script.tensors) {
    const at::Tensor value = to_aten(tensor.value);
    if (tensor.trains && value.is_floating_point()) {
      module.register_parameter(name, value.set_requires_grad(true), /*is_buffer=*/false);
    } else {
      module.register_buffer(name, value);
    }
  }
  module.define(script.text);
  return module;
}

}  // namespace

void save_torchscript(const graph::Model& model, const std::filesystem::path& file) {
  graph::verify(model);
  std::ostringstream bytes;
  module_of(model).save(bytes);
  core::write_file(file, bytes.str());
}

}  // namespace coppice::train
