/**
 * Tools that a model may call while it learns to: what a tool is ({@link
 * io.minimind.agent.AgentTool}), and the {@link io.minimind.agent.ToolBox} that finds calls in what
 * was written and answers them, such as that of MiniMind's six, which answer from small tables.
 */
package io.minimind.agent;
