/**
 * The front door of training: a {@code TrainingRun}, made with a {@code RunBuilder}, tells {@code
 * TrainingListener}s and leaves a {@code TrainedModel}.
 *
 * <p>A person also needs, from here, {@code TrainingSettings}, {@code TrainingState}, {@code
 * RunSettings}, {@code TrainingHistory}, {@code LearningRateSchedule} with {@code Schedules}, and
 * {@code Catalog} for tasks of their own; from other packages {@code Rows}, {@code RowReader},
 * {@code Row}, {@code Task}, {@code Tasks} and {@code Device}.
 *
 * <p>Seams between packages, public for no other reason: {@code StartWeights}, which preference
 * training reads too, {@code Trainer} and {@code CheckpointStore}, which tests of several devices
 * drive.
 */
package io.minimind.train;
