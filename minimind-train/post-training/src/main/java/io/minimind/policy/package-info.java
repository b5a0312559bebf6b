/**
 * A model learns from what it writes itself: it answers prompts, rewards say what each answer is
 * worth, and better answers become more probable. {@link
 * io.minimind.policy.GroupPolicyOptimization} is the task; {@link io.minimind.policy.Reward} is
 * what a person writes.
 */
package io.minimind.policy;
