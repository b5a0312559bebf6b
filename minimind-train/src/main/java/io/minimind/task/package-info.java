/**
 * What a run teaches. A {@link io.minimind.task.Task} joins an encoder of rows, an objective and
 * what must be computed beforehand. Those for texts and conversations are here; those of the
 * post-training module and anybody's are found by their names, through a {@link
 * io.minimind.train.Catalog}.
 */
package io.minimind.task;
