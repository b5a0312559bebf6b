/**
 * What a run teaches. A {@link io.minimind.task.Task} joins an encoder of rows, an objective and
 * what must be computed beforehand; those for texts and conversations are here, others lie in
 * packages of their own, in this project or elsewhere.
 */
package io.minimind.task;
