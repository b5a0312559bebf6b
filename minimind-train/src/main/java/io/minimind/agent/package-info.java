/**
 * Tools that a model may call while it learns to: what a call is ({@link
 * io.minimind.agent.ToolCalls}), what a tool is ({@link io.minimind.agent.AgentTool}), and the six
 * of MiniMind ({@link io.minimind.agent.MockTools}), which answer from small tables.
 */
package io.minimind.agent;
