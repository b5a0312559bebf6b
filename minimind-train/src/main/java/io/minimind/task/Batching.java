package io.minimind.task;

import io.minimind.model.LowRankAdapters;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How the batches of a run are made.
 *
 * @param batchSize groups of samples in a batch, at least 1
 * @param devices batches that are computed at the same time, which should be about equally long
 * @param seed of the order
 * @param heldOut whether they are of rows to validate on
 * @param model the folder of the run, with the model's configuration and tokenizer
 * @param adapters those that are trained, if any
 * @param threads on the CPU, for a source that computes, at least 1
 */
public record Batching(
    int batchSize,
    int devices,
    long seed,
    boolean heldOut,
    Path model,
    Optional<LowRankAdapters> adapters,
    int threads) {}
