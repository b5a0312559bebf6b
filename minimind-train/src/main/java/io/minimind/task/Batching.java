package io.minimind.task;

import java.nio.file.Path;

/**
 * How the batches of a run are made.
 *
 * @param batchSize groups of samples in a batch, at least 1
 * @param devices batches that are computed at the same time, which should be about equally long
 * @param seed of the order
 * @param model the folder of the run, with the model's configuration and tokenizer
 */
public record Batching(int batchSize, int devices, long seed, Path model) {}
