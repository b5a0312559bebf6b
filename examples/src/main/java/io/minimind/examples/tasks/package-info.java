/**
 * A small world for agents: questions that only the mock tools can answer ({@link
 * io.minimind.examples.tasks.ToolTasks}), drawn from a seed, and the files that a model learns from
 * ({@link io.minimind.examples.tasks.ToolFiles}).
 */
package io.minimind.examples.tasks;
