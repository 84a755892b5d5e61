#pragma once

#include <optional>

#include "core/registry.h"
#include "recipe/schedule.h"

namespace coppice::train {

/// A schedule's course after its warm-up: the learning rate as a share of its peak.
using ScheduleShape = double (*)(const recipe::ScheduleOptions&, double epoch, double epochs);

/// 1 throughout.
double constant_shape(const recipe::ScheduleOptions&, double epoch, double epochs);
/// x step_factor every step_epochs.
double step_shape(const recipe::ScheduleOptions&, double epoch, double epochs);
/// x step_factor at every milestone.
double multi_step_shape(const recipe::ScheduleOptions&, double epoch, double epochs);
/// Along half a cosine to final_share, from the end of the warm-up (Loshchilov and Hutter, ICLR
/// 2017).
double cosine_shape(const recipe::ScheduleOptions&, double epoch, double epochs);
/// Along a cosine from 1/25 to 1 during the warm-up epochs, or the first 30 % without any, and then
/// down to final_share (Smith, 2018; Smith and Topin, 2019).
double one_cycle_shape(const recipe::ScheduleOptions&, double epoch, double epochs);

/// By name; "plateau" is constant here, as its drops follow from what was learned (plateau.h).
const core::Registry<ScheduleShape>& schedules();

/// The learning rate as a share of its peak after `epoch` (fractional: 1.5 is the middle of the
/// second) of `epochs`: the shape, times a linear warm-up from warmup_start if there is one.
/// Throws Error{NotFound}.
double learning_rate_share(const recipe::ScheduleOptions& options, double epoch, double epochs);

/// What momentum a schedule asks for at that time: one_cycle with cycle_momentum moves it from
/// highest to lowest and back, against the learning rate (Smith, 2018).
std::optional<double> scheduled_momentum(const recipe::ScheduleOptions& options,
                                         double epoch,
                                         double epochs);

/// From `from` to `to` along half a cosine; `progress` is clamped to [0, 1].
double anneal(double from, double to, double progress);

}  // namespace coppice::train
