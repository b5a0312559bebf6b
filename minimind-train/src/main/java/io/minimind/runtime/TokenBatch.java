package io.minimind.runtime;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * The rows of one training step, padded to equal length; each buffer is direct, row-major, and
 * holds rows · length elements.
 *
 * @param rows at least 1
 * @param length at least 1
 * @param inputIds token ids
 * @param labels the token that follows each position, 0 on padding
 * @param lossMask weight of each position in the loss, 0 on padding
 */
public record TokenBatch(
    int rows, int length, LongBuffer inputIds, LongBuffer labels, FloatBuffer lossMask) {}
