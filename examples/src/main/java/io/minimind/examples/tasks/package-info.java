/**
 * A small world for agents: questions that only the mock tools can answer ({@link
 * io.minimind.examples.tasks.ToolTasks}), drawn from a seed.
 */
package io.minimind.examples.tasks;
