#include "sweep/trial_store.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace coppice::sweep {

namespace {

using Json = nlohmann::json;

Trial::State parse_state(const std::string& word) {
  for (const auto state : {Trial::State::Running, Trial::State::Finished, Trial::State::Failed}) {
    if (word == to_string(state)) {
      return state;
    }
  }
  throw core::Error(core::ErrorKind::Corrupt,
                    fmt::format("the study holds an unknown trial state '{}'", word));
}

std::string to_json(const std::map<std::string, double>& figures) {
  Json json = Json::object();
  for (const auto& [name, value] : figures) {
    json[name] = std::isfinite(value) ? Json(value) : Json();
  }
  return json.dump();
}

std::map<std::string, double> parse_figures(const std::string& text) {
  std::map<std::string, double> figures;
  const Json json = Json::parse(text);
  for (const auto& [name, value] : json.items()) {
    figures[name] =
        value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  return figures;
}

Trial to_trial(const jobs::DatabaseRow& row) {
  Trial trial;
  trial.number = row.integer(0);
  trial.state = parse_state(row.text(2));
  trial.objective = row.real(3);
  trial.folder = row.text(5);
  trial.worker = row.text(6);
  trial.reason = row.text(7);
  try {
    trial.assignment = Json::parse(row.text(1)).get<Assignment>();
    trial.figures = parse_figures(row.text(4));
  } catch (const Json::exception& error) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format("trial {} of the study can't be read: {}", trial.number, error.what()));
  }
  return trial;
}

}  // namespace

void create_tables(jobs::Database& database) {
  database.execute("CREATE TABLE IF NOT EXISTS study (options text NOT NULL)");
  database.execute(
      "CREATE TABLE IF NOT EXISTS trials (number bigint PRIMARY KEY, assignment text NOT NULL,"
      " state text NOT NULL, objective double NOT NULL, figures text NOT NULL, folder text NOT "
      "NULL,"
      " worker text NOT NULL, reason text NOT NULL, until bigint NOT NULL, attempts bigint NOT "
      "NULL)");
}

std::vector<Trial> select_trials(jobs::Database& database,
                                 const std::string& condition,
                                 const std::vector<jobs::DatabaseValue>& values) {
  std::vector<Trial> trials;
  for (const jobs::DatabaseRow& row :
       database.query("SELECT number, assignment, state, objective, figures, folder, worker, "
                      "reason FROM trials " +
                          condition,
                      values)) {
    trials.push_back(to_trial(row));
  }
  return trials;
}

void insert_trial(jobs::Database& database, const Trial& trial, int64_t until) {
  database.execute(
      "INSERT INTO trials VALUES (:number, :assignment, :state, 0, '{}', '', :worker, '', :until, "
      "1)",
      {trial.number,
       Json(trial.assignment).dump(),
       std::string(to_string(trial.state)),
       trial.worker,
       until});
}

void update_trial(jobs::Database& database, const Trial& trial) {
  database.execute(
      "UPDATE trials SET state = :state, objective = :objective, figures = :figures, folder = "
      ":folder,"
      " reason = :reason WHERE number = :number",
      {std::string(to_string(trial.state)),
       trial.objective,
       to_json(trial.figures),
       trial.folder,
       trial.reason,
       trial.number});
}

bool renew_trial(jobs::Database& database,
                 int64_t number,
                 const std::string& worker,
                 int64_t until) {
  return database.execute(
             "UPDATE trials SET until = :until"
             " WHERE number = :number AND worker = :worker AND state = 'running'",
             {until, number, worker}) > 0;
}

}  // namespace coppice::sweep
