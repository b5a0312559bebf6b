package io.minimind.artifact;

/**
 * A scalar that a step reports besides the loss.
 *
 * @param name of the graph's output, and in logs and {@code metrics.jsonl}
 * @param over what it is a mean over, so that those of several batches can be averaged
 */
public record Metric(String name, Extent over) {}
