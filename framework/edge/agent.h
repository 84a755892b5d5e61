#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/rng.h"
#include "edge/engine_host.h"
#include "edge/miner.h"
#include "edge/shipper.h"
#include "edge/spool.h"
#include "edge/updater.h"
#include "link/transport.h"
#include "monitor/drift.h"
#include "runtime/engine.h"

namespace coppice::edge {

struct AgentOptions {
  std::string fleet = "fleet";
  std::string device = "edge-1";
  MinerOptions miner;
  monitor::DriftOptions drift;
  runtime::EngineOptions engine;
  int64_t spool_bytes = 1 << 20;  ///< payload kept on disk at most
  int64_t daily_upload_bytes =
      40000;  ///< encoded sample messages sent in a UTC day at most, repeats included
  int64_t daily_upload_samples = 1000;  ///< samples first sent in a UTC day at most
  int64_t batch_samples = 16;           ///< samples in one message at most
  int64_t resend_after_s = 7200;        ///< an unacknowledged message is sent again after this
  uint64_t seed = 1;                    ///< of the miner's draws

  void visit(core::Fields& f);  ///< all but fleet, device and seed
};

/// The device agent: infers, mines, spools, ships, updates. The same class runs on a device and in
/// the simulation. Not thread-safe.
class Agent {
 public:
  /// Everything it must remember lies in `folder`; one agent at a time may use it. Throws
  /// core::Error; not for an installed release that can't be used, which is reported instead.
  /// REQUIRES: transport and clock outlive it; the transport is not polled after its end.
  Agent(AgentOptions options,
        std::filesystem::path folder,
        core::Bytes public_key,
        link::Transport& transport,
        const core::Clock& clock);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Predicts a batch of raw inputs [n, …] and mines it. `feedback`: the true class per sample
  /// where the device learned it, else -1. Returns nothing while no release is installed. Throws
  /// Error{InvalidArgument} for samples that do not fit the model, Error{Io} when the spool can't
  /// be written.
  std::vector<Prediction> infer(const graph::Tensor& samples, std::span<const int64_t> feedback);

  /// Takes messages, ships what the budget allows, asks for chunks; call it now and then.
  void tick();

  /// Sends counts since the last report. An update, done or refused, is reported by itself.
  void report_status();

  uint64_t release_counter() const { return updater_.counter(); }

  const std::string& artefact_hash() const { return host_.artefact_hash(); }

  const Spool& spool() const { return spool_; }

  int64_t last_sequence() const { return last_sequence_; }

  /// Samples ever put into the spool.
  int64_t mined() const { return spool_.added(); }

 private:
  void observe(const Observation& seen);
  bool receive(std::span<const std::byte> payload);
  bool take_update(const std::function<void()>& step);
  bool report_refusal();
  bool ask_for_chunk();
  void send_status(uint64_t release_counter);
  void send(link::Body body, const std::string& leaf);

  struct Asked {
    link::ChunkRequest request;
    core::Timestamp at;
  };

  AgentOptions options_;
  link::Transport& transport_;
  const core::Clock& clock_;
  core::Rng draws_;
  EngineHost host_;
  Updater updater_;
  Spool spool_;
  Shipper shipper_;
  std::unique_ptr<monitor::DriftDetector> drift_;
  link::Status status_;
  double confidence_sum_ = 0;
  int64_t last_sequence_ = 0;
  std::optional<Asked> asked_;
};

}  // namespace coppice::edge
