/**
 * The front door of training: a {@code TrainingRun}, made with a {@code RunBuilder}, tells {@code
 * TrainingListener}s and leaves a {@code TrainedModel}.
 *
 * <p>A person also needs, from here, {@code TrainingSettings}, {@code TrainingState}, {@code
 * RunSettings}, {@code LearningRateSchedule}, and {@code Catalog} for tasks of their own; from
 * other packages {@code Rows}, {@code RowReader}, {@code Row}, {@code Task} and {@code Device}.
 * {@code PublicTypesTest} lists all types that are for people.
 */
package io.minimind.train;
