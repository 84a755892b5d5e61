#pragma once

#include <string>
#include <vector>

#include "jobs/database.h"
#include "sweep/sampler.h"

namespace coppice::sweep {

/// Tables `study` (one row: the options) and `trials`; nothing happens when they are there.
void create_tables(jobs::Database& database);

/// `condition` is what follows FROM trials. Throws Error{Corrupt} for a row that can't be read.
std::vector<Trial> select_trials(jobs::Database& database,
                                 const std::string& condition,
                                 const std::vector<jobs::DatabaseValue>& values = {});

/// A new trial, running until `until` (milliseconds since 1970).
void insert_trial(jobs::Database& database, const Trial& trial, int64_t until);

/// Writes state, objective, figures, folder and reason.
void update_trial(jobs::Database& database, const Trial& trial);

/// False when `worker` does not hold the trial (any more).
bool renew_trial(jobs::Database& database,
                 int64_t number,
                 const std::string& worker,
                 int64_t until);

}  // namespace coppice::sweep
