#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cloud/gate.h"
#include "cloud/labeller.h"
#include "cloud/registry.h"
#include "cloud/rollout.h"
#include "cloud/sample_store.h"
#include "cloud/seen_numbers.h"
#include "cloud/trigger.h"
#include "core/clock.h"
#include "link/transport.h"

namespace coppice::cloud {

struct ServiceOptions {
  std::string fleet = "fleet";
  std::string model_name = "model";
  TriggerOptions trigger;
  GateOptions gate;
  RolloutOptions rollout;
  runtime::EngineOptions engine;      ///< that the gate runs artefacts with
  double held_out_share = 0.2;        ///< of field samples, for the gate
  int64_t labels_per_tick = 1000000;  ///< the labeller's capacity
  double release_days = 0;            ///< a release expires after this; 0: never
  bool wait_for_disk = true;          ///< off for simulations: a power cut may undo what was told

  void visit(core::Fields& f);  ///< all but fleet and model_name
};

/// What the service knows of one device, from its status messages since the service started.
struct DeviceView {
  uint64_t counter = 0;  ///< release it reported
  uint64_t target = 0;   ///< release it should run
  int64_t inferred = 0;
  int64_t feedback_seen = 0;
  int64_t feedback_wrong = 0;
  int64_t evicted = 0;
  bool drift = false;        ///< signalled since the last retraining
  std::string update_error;  ///< the last one
  int64_t refusals = 0;      ///< of the release that it should run
  core::Timestamp offered_at{};
};

/// The cloud's side of a fleet: ingests exactly once, labels, watches drift, gates and rolls out.
/// Retraining itself is done by who calls it, between `retraining_due` and `publish`. A service
/// that is started again in the same folder goes on with its champion, its rollout (whose evidence
/// is collected anew) and its schedule. Not thread-safe.
class Service {
 public:
  /// Throws Error{InvalidArgument} for a fleet without devices or a name that is no level of a
  /// topic. REQUIRES: transport, clock and labeller outlive it; the transport is not polled after
  /// its end.
  // NOLINTNEXTLINE(readability-function-size): three of the seven are the world it lives in
  Service(ServiceOptions options,
          const std::filesystem::path& folder,
          const std::vector<std::string>& devices,
          release::KeyPair keys,
          link::Transport& transport,
          const core::Clock& clock,
          Labeller& labeller);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Takes messages, labels, offers releases, decides about a rollout under way.
  void tick();

  TriggerReason retraining_due() const;
  void retraining_started();

  /// Runs the artefact and the champion over the held-out set and held-out field samples captured
  /// since `field_since`, and decides.
  GateVerdict judge(std::span<const std::byte> artefact,
                    const data::Dataset& held_out,
                    core::Timestamp field_since);

  /// Signs and stores a release and begins its rollout; the first one goes to every device. Returns
  /// its counter. Throws Error{Refused} while another rollout is under way.
  uint64_t publish(core::Bytes artefact,
                   const std::string& reason,
                   const std::map<std::string, double>& metrics);

  /// The release that all devices should run (promoted), if any; 0 before the first.
  uint64_t champion() const { return champion_; }

  bool rollout_under_way() const { return rollout_.has_value(); }

  const std::map<std::string, DeviceView>& devices() const { return devices_; }

  SampleStore& samples() { return samples_; }

  Registry& registry() { return registry_; }

  int64_t repeated_samples() const { return repeated_samples_; }

  /// Decisions in plain words, in order: "release 3 promoted to all devices", …
  const std::vector<std::string>& events() const { return events_; }

 private:
  struct Rollout {
    uint64_t counter = 0;
    std::set<std::string> canaries;
    core::Timestamp since{};
    RolloutEvidence seen;  ///< the feedback in it so far
  };

  /// A message with samples that waits to be stored with the others of this tick.
  struct Arrival {
    std::string id;
    SampleStore::Batch batch;
  };

  bool receive(const std::string& topic, std::span<const std::byte> payload);
  void take_status(const std::string& device, uint64_t number, const link::Status& status);
  void send_chunk(const std::string& device, const link::ChunkRequest& request);
  void send(const std::string& device, const std::string& leaf, link::Body body);
  int64_t next_message();
  void store_arrivals();
  void label();
  void offer_targets();

  void restore();
  Rollout begin_rollout(uint64_t counter, core::Timestamp since) const;
  void set_target(const std::string& device, uint64_t counter);
  void advance_rollout();
  void promote();
  void roll_back();
  uint64_t sign_and_record(core::Bytes artefact,
                           const std::string& reason,
                           const std::map<std::string, double>& metrics,
                           const std::string& state,
                           uint64_t replaced);
  RolloutEvidence evidence() const;

  ServiceOptions options_;
  release::KeyPair keys_;
  link::Transport& transport_;
  const core::Clock& clock_;
  Labeller& labeller_;
  Registry registry_;
  SampleStore samples_;
  std::map<std::string, DeviceView> devices_;
  std::map<std::string, SeenNumbers> statuses_;
  std::vector<Arrival> arrivals_;
  std::map<std::string, core::Bytes> artefacts_;  ///< by hash: what devices are fetching
  uint64_t champion_ = 0;
  std::optional<Rollout> rollout_;
  std::optional<core::Timestamp> first_release_;
  std::optional<core::Timestamp> last_retraining_;
  int64_t labelled_at_last_retraining_ = 0;
  int64_t repeated_samples_ = 0;
  int64_t messages_ = 0;           ///< the last number given out
  int64_t promised_messages_ = 0;  ///< the last number that the registry says may be in use
  std::vector<std::string> events_;
};

}  // namespace coppice::cloud
