/**
 * Learning from what people think of answers, with tasks like any other, each with its objective
 * and its encoder: which of two is preferred ({@link io.minimind.preference.PreferenceTuning}),
 * whether one is good ({@link io.minimind.preference.KahnemanTverskyOptimization}), and how good,
 * as a model that judges others ({@link io.minimind.preference.RewardModeling}). A reference
 * model's log-probabilities are computed beforehand.
 */
package io.minimind.preference;
