/**
 * The front door of training. {@link io.minimind.train.TrainingRun} begins or resumes a run, {@link
 * io.minimind.train.TrainingListener} is told what happens in it, and {@link
 * io.minimind.train.TrainingSettings} say how long and how fast it learns. Behind it are the loop,
 * {@link io.minimind.train.Trainer}, the checkpoints, and the folder of a run.
 */
package io.minimind.train;
