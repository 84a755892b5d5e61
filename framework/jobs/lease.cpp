#include "jobs/lease.h"

#include "jobs/database.h"

namespace coppice::jobs {

struct Leases::State {
  Database database;
  const core::Clock& clock;
};

Leases::Leases(const std::filesystem::path& database, const core::Clock& clock)
    : state_(new State{Database(database), clock}) {
  state_->database.execute(
      "CREATE TABLE IF NOT EXISTS leases"
      " (name text PRIMARY KEY, holder text NOT NULL, until bigint NOT NULL)");
}

Leases::~Leases() = default;

bool Leases::acquire(const std::string& name,
                     const std::string& holder,
                     std::chrono::milliseconds duration) {
  bool held = false;
  state_->database.transaction([&] {
    const int64_t now = core::to_millis(state_->clock.now());
    const auto rows =
        state_->database.query("SELECT holder, until FROM leases WHERE name = :name", {name});
    held = rows.empty() || rows.front().text(0) == holder || rows.front().integer(1) <= now;
    if (held) {
      state_->database.execute(
          "INSERT OR REPLACE INTO leases (name, holder, until) VALUES (:name, :holder, :until)",
          {name, holder, now + duration.count()});
    }
  });
  return held;
}

void Leases::release(const std::string& name, const std::string& holder) {
  state_->database.execute("DELETE FROM leases WHERE name = :name AND holder = :holder",
                           {name, holder});
}

}  // namespace coppice::jobs
