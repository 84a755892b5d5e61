#include "loop/fleet.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "core/error.h"
#include "core/rng.h"
#include "graph/graph.h"

namespace coppice::loop {

namespace {

graph::Tensor to_tensor(const data::Batch& batch, const data::Schema& schema) {
  graph::Shape shape{batch.size};
  shape.insert(shape.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  graph::Tensor tensor(schema.type == data::ElementType::U8 ? graph::DType::U8 : graph::DType::F32,
                       shape);
  std::memcpy(tensor.bytes(), batch.samples.data(), batch.samples.size());
  return tensor;
}

}  // namespace

Fleet::Fleet(const LoopOptions& options,
             data::DatasetPtr field,
             const std::filesystem::path& folder,
             const core::Bytes& public_key,
             link::InProcessBroker& broker,
             const core::Clock& clock)
    : options_(options), field_(std::move(field)) {
  const auto& scenario = options.field.scenario;
  const auto seed = static_cast<uint64_t>(options.seed);
  for (int64_t day = 1; day <= scenario.total_days(); ++day) {
    const auto& transforms = data::phase_of_day(scenario, day).transforms;
    drifted_.push_back(transforms.empty() ? field_
                                          : data::make_transformed(field_, transforms, seed));
  }
  for (int64_t i = 0; i < scenario.devices; ++i) {
    Device device;
    device.name = fmt::format("edge-{}", i + 1);
    device.transport = broker.connect(device.name);
    device.days.resize(static_cast<size_t>(scenario.total_days()));
    edge::AgentOptions agent = options.device;
    agent.fleet = options.name;
    agent.device = device.name;
    agent.seed = seed;
    agents_.push_back(std::make_unique<edge::Agent>(
        agent, folder / device.name, public_key, *device.transport, clock));
    devices_.push_back(std::move(device));
  }
  for (const auto& slice : data::deal_field(*field_, scenario, seed)) {
    devices_[static_cast<size_t>(slice.device)].days[static_cast<size_t>(slice.day - 1)] =
        slice.indices;
  }
}

void Fleet::tick(int64_t day, int64_t tick) {
  for (size_t d = 0; d < devices_.size(); ++d) {
    const auto& indices = devices_[d].days[static_cast<size_t>(day - 1)];
    const auto size = static_cast<int64_t>(indices.size());
    const auto begin = static_cast<size_t>(size * tick / options_.field.ticks_per_day);
    const auto end = static_cast<size_t>(size * (tick + 1) / options_.field.ticks_per_day);
    if (end > begin) {
      infer(d, day, std::span(indices).subspan(begin, end - begin));
    }
    agents_[d]->report_status();
    agents_[d]->tick();
  }
}

void Fleet::talk() {
  for (const auto& agent : agents_) {
    agent->tick();
  }
}

int64_t Fleet::truth(const std::string& device, int64_t sequence) const {
  const auto it = std::find_if(
      devices_.begin(), devices_.end(), [&](const Device& d) { return d.name == device; });
  if (it == devices_.end() || sequence < 1 || sequence > static_cast<int64_t>(it->seen.size())) {
    return -1;
  }
  return it->seen[static_cast<size_t>(sequence - 1)];
}

Fleet::Day Fleet::take_day() {
  return std::exchange(day_, {});
}

std::vector<std::string> Fleet::names() const {
  std::vector<std::string> names;
  for (const Device& device : devices_) {
    names.push_back(device.name);
  }
  return names;
}

void Fleet::infer(size_t device, int64_t day, std::span<const int64_t> indices) {
  data::Batch batch;
  drifted_[static_cast<size_t>(day - 1)]->read(indices, batch);
  const core::Rng feedback_rng = core::Rng(static_cast<uint64_t>(options_.seed)).split("feedback");
  std::vector<int64_t> feedback;
  for (size_t i = 0; i < indices.size(); ++i) {
    core::Rng rng = feedback_rng.split(static_cast<uint64_t>(indices[i]));
    feedback.push_back(rng.bernoulli(options_.field.feedback_share) ? batch.labels[i] : -1);
  }
  const auto predictions = agents_[device]->infer(to_tensor(batch, field_->schema()), feedback);
  if (predictions.empty()) {
    return;  // no release yet
  }
  auto& seen = devices_[device].seen;
  COPPICE_CHECK(
      agents_[device]->last_sequence() == static_cast<int64_t>(seen.size() + indices.size()),
      "sequence numbers follow the stream");
  for (size_t i = 0; i < indices.size(); ++i) {
    seen.push_back(batch.labels[i]);
    day_.right += predictions[i].label == batch.labels[i] ? 1 : 0;
  }
  day_.inferred += static_cast<int64_t>(indices.size());
}

}  // namespace coppice::loop
