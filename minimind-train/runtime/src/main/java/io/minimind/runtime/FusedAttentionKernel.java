package io.minimind.runtime;

import io.minimind.graph.operator.FusedAttention;
import io.minimind.runtime.KernelCall.Operand;
import io.minimind.runtime.OneDnn.Matrix;

/**
 * Causal attention of grouped heads, forwards and backwards (Dao 2023, "FlashAttention-2"). Queries
 * are taken in blocks; a block's probabilities lie in a few hundred kilobytes that the next block
 * uses again, and never reach an operand. All products are oneDNN's.
 *
 * <p>Where rows hold several samples, a block of queries sees no key before the sample of its first
 * query: such keys cost nothing, and a mask takes care of the others.
 *
 * <p>A task is what no other adds to: a head of a row forwards, and backwards a key/value head of a
 * row with all its heads. So results are the same for any number of threads.
 */
final class FusedAttentionKernel {

  /** Queries of a block. */
  private static final int ROWS = 64;

  /** Keys that the backward pass takes at once. */
  private static final int COLUMNS = 512;

  private final long heads;
  private final long keyValueHeads;

  FusedAttentionKernel(KernelNode node) {
    heads = node.integer(FusedAttention.QUERY_HEADS);
    keyValueHeads = node.integer(FusedAttention.KEY_VALUE_HEADS);
  }

  /** The extents of a call. */
  private final class Extents {
    private final long batch;
    private final long length;
    private final long size;
    private final float scale;

    private Extents(Operand query) {
      batch = query.extent(0);
      length = query.extent(1);
      size = query.extent(2) / heads;
      scale = (float) (1 / Math.sqrt(size));
    }

    /** A head of a row of [batch, length, count · size]. */
    private Matrix head(Operand all, long row, long head, long count) {
      long first = row * length * count * size + head * size;
      return new Matrix(all.address() + Float.BYTES * first, count * size);
    }
  }

  /**
   * Which keys the queries of a row see: those from the beginning of their own sample to
   * themselves.
   *
   * @param positions the address of their positions in their samples; 0 if the row is one sample
   */
  private record Samples(long positions) {

    private static final Samples ONE = new Samples(0);

    static Samples of(Operand inSample, long row) {
      return inSample.address() == 0
          ? ONE
          : new Samples(inSample.address() + Long.BYTES * row * inSample.extent(1));
    }

    /** The first key that a query sees. Whatever the numbers are, it is one of the row. */
    long first(long query) {
      if (positions == 0) {
        return 0;
      }
      long position = NativeFloats.integer(positions + Long.BYTES * query);
      return query - Math.max(0, Math.min(query, position));
    }

    /**
     * Puts 0 for keys that queries do not see.
     *
     * @param block of some queries and keys
     * @param start the first query
     * @param rows how many queries
     * @param first the first key
     */
    void mask(Matrix block, long start, long rows, long first, long columns) {
      for (long i = 0; i < rows; i++) {
        long row = block.from(i).address();
        long before = Math.min(columns, Math.max(0, first(start + i) - first));
        NativeFloats.fill(row, before, 0);
        long seen = Math.max(before, start + i + 1 - first);
        if (seen < columns) {
          NativeFloats.fill(row + Float.BYTES * seen, columns - seen, 0);
        }
      }
    }
  }

  /** From query, key, value and perhaps positions in samples: output, sums. */
  void forward(KernelCall call) {
    Operand query = call.input(0);
    Operand key = call.input(1);
    Operand value = call.input(2);
    Operand inSample = call.optionalInput(3);
    Extents extents = new Extents(query);
    Operand output = call.output(0, query.shape());
    Operand sums = call.output(1, extents.batch, heads, extents.length);
    long block = ROWS * extents.length + OneDnn.SLACK;
    call.parallel(
        (int) (extents.batch * heads),
        Float.BYTES * (block + extents.length + ROWS),
        (task, memory) -> {
          long row = task / heads;
          long head = task % heads;
          long keyValueHead = head / (heads / keyValueHeads);
          try (OneDnn dnn = OneDnn.take()) {
            new Forward(
                    dnn,
                    extents,
                    Samples.of(inSample, row),
                    extents.head(query, row, head, heads),
                    extents.head(key, row, keyValueHead, keyValueHeads),
                    extents.head(value, row, keyValueHead, keyValueHeads),
                    extents.head(output, row, head, heads),
                    sums.address() + Float.BYTES * task * extents.length,
                    memory)
                .run();
          }
        });
  }

  /** One head. */
  private record Forward(
      OneDnn dnn,
      Extents extents,
      Samples samples,
      Matrix query,
      Matrix key,
      Matrix value,
      Matrix output,
      long logarithms,
      long memory) {

    void run() {
      long ones = memory + Float.BYTES * (ROWS * extents.length + OneDnn.SLACK);
      NativeFloats.fill(ones, extents.length, 1);
      long sums = ones + Float.BYTES * extents.length;
      for (long start = 0; start < extents.length; start += ROWS) {
        long rows = Math.min(ROWS, extents.length - start);
        block(start, rows, ones, sums);
      }
    }

    private void block(long start, long rows, long ones, long sums) {
      long first = samples.first(start);
      long columns = start + rows - first;
      Matrix weights = new Matrix(memory, columns);
      float[] shifts = new float[(int) rows];
      logits(weights, start, rows, first);
      dnn.exponential(memory, rows * columns);
      sum(weights, start, rows, first, ones, sums);
      if (!areInRange(sums, rows)) {
        logits(weights, start, rows, first);
        shift(weights, start, first, shifts);
        dnn.exponential(memory, rows * columns);
        keepNotANumber(weights, shifts);
        sum(weights, start, rows, first, ones, sums);
      }
      Matrix seen = value.from(first);
      dnn.product(rows, extents.size, columns, 1, weights, seen, 0, output.from(start));
      for (int i = 0; i < rows; i++) {
        float sum = NativeFloats.get(sums + Float.BYTES * i);
        long row = output.from(start + i).address();
        NativeFloats.copy(row, row, extents.size, 1 / sum);
        NativeFloats.put(
            logarithms + Float.BYTES * (start + i), (float) (shifts[i] + Math.log(sum)));
      }
    }

    private void logits(Matrix weights, long start, long rows, long first) {
      dnn.product(
          rows,
          weights.stride(),
          extents.size,
          extents.scale,
          query.from(start),
          key.from(first).transpose(),
          0,
          weights);
    }

    /** What is masked gets no weight, whatever it was. */
    private void sum(Matrix weights, long start, long rows, long first, long ones, long sums) {
      samples.mask(weights, start, rows, first, weights.stride());
      Matrix column = new Matrix(sums, 1);
      dnn.product(rows, 1, weights.stride(), 1, weights, new Matrix(ones, 1), 0, column);
    }

    private boolean areInRange(long sums, long rows) {
      for (int i = 0; i < rows; i++) {
        float sum = NativeFloats.get(sums + Float.BYTES * i);
        if (!OneDnn.isInRange(sum)) {
          return false;
        }
      }
      return true;
    }

    /** Takes from each row the largest logit of what it sees. */
    private void shift(Matrix weights, long start, long first, float[] shifts) {
      for (int i = 0; i < shifts.length; i++) {
        long row = weights.from(i).address();
        long own = Math.max(first, samples.first(start + i));
        shifts[i] = NativeFloats.largest(row + Float.BYTES * (own - first), start + i + 1 - own);
        NativeFloats.add(row, weights.stride(), -shifts[i]);
      }
    }

    /** oneDNN's exponential of what is not a number is one. */
    private void keepNotANumber(Matrix weights, float[] shifts) {
      for (int i = 0; i < shifts.length; i++) {
        if (!Float.isFinite(shifts[i])) {
          NativeFloats.fill(weights.from(i).address(), weights.stride(), Float.NaN);
        }
      }
    }
  }

  /**
   * From query, key, value, output, sums, the output's gradient and perhaps positions in samples:
   * the gradients of the first three.
   */
  void backward(KernelCall call) {
    Operand query = call.input(0);
    Operand key = call.input(1);
    Operand value = call.input(2);
    Operand output = call.input(3);
    Operand sums = call.input(4);
    Operand dOutput = call.input(5);
    Operand inSample = call.optionalInput(6);
    Extents extents = new Extents(query);
    Operand dQuery = call.output(0, query.shape());
    Operand dKey = call.output(1, key.shape());
    Operand dValue = call.output(2, value.shape());
    NativeFloats.clear(dKey.address(), dKey.elements());
    NativeFloats.clear(dValue.address(), dValue.elements());
    long each = heads / keyValueHeads;
    call.parallel(
        (int) (extents.batch * keyValueHeads),
        Backward.memory(extents),
        (task, memory) -> {
          long row = task / keyValueHeads;
          long keyValueHead = task % keyValueHeads;
          try (OneDnn dnn = OneDnn.take()) {
            Backward backward =
                new Backward(
                    dnn,
                    extents,
                    Samples.of(inSample, row),
                    extents.head(key, row, keyValueHead, keyValueHeads),
                    extents.head(value, row, keyValueHead, keyValueHeads),
                    extents.head(dKey, row, keyValueHead, keyValueHeads),
                    extents.head(dValue, row, keyValueHead, keyValueHeads),
                    memory);
            for (long i = 0; i < each; i++) {
              long head = keyValueHead * each + i;
              backward.head(
                  extents.head(query, row, head, heads),
                  extents.head(output, row, head, heads),
                  sums.address() + Float.BYTES * (row * heads + head) * extents.length,
                  extents.head(dOutput, row, head, heads),
                  extents.head(dQuery, row, head, heads));
            }
          }
        });
  }

  /**
   * One key/value head. What is to be taken from each row of a product, the logarithm of the row's
   * sum or the output's gradient along the output, is one more column of its first factor, and -1
   * one of the second.
   */
  private static final class Backward {
    private final OneDnn dnn;
    private final Extents extents;
    private final Samples samples;
    private final Matrix dKey;
    private final Matrix dValue;
    private final Matrix keys;
    private final Matrix values;
    private final Matrix queries;
    private final Matrix gradients;
    private final long probabilities;
    private final long dLogits;

    private Backward(
        OneDnn dnn,
        Extents extents,
        Samples samples,
        Matrix key,
        Matrix value,
        Matrix dKey,
        Matrix dValue,
        long memory) {
      this.dnn = dnn;
      this.extents = extents;
      this.samples = samples;
      this.dKey = dKey;
      this.dValue = dValue;
      long width = width(extents);
      this.keys = new Matrix(memory, width);
      this.values = keys.from(extents.length);
      this.queries = values.from(extents.length);
      this.gradients = queries.from(ROWS);
      this.probabilities = gradients.from(ROWS).address();
      this.dLogits = probabilities + Float.BYTES * tile(extents);
      for (long i = 0; i < extents.length; i++) {
        widened(key, i, keys, i, 1, -1);
        widened(value, i, values, i, 1, -1);
      }
    }

    private static long memory(Extents extents) {
      return Float.BYTES * ((2 * extents.length + 2 * ROWS) * width(extents) + 2 * tile(extents));
    }

    private static long width(Extents extents) {
      return extents.size + 8; // One would do, but rows of vectors are read faster.
    }

    private static long tile(Extents extents) {
      return ROWS * Math.min(COLUMNS, extents.length) + OneDnn.SLACK;
    }

    private void widened(Matrix from, long row, Matrix to, long place, float factor, float column) {
      long target = to.from(place).address();
      NativeFloats.copy(from.from(row).address(), target, extents.size, factor);
      NativeFloats.put(target + Float.BYTES * extents.size, column);
    }

    private void head(Matrix query, Matrix output, long logarithms, Matrix dOutput, Matrix dQuery) {
      for (long start = (extents.length - 1) / ROWS * ROWS; start >= 0; start -= ROWS) {
        long rows = Math.min(ROWS, extents.length - start);
        for (long i = 0; i < rows; i++) {
          long row = start + i;
          float logarithm = NativeFloats.get(logarithms + Float.BYTES * row);
          widened(query, row, queries, i, extents.scale, logarithm);
          float along =
              NativeFloats.product(
                  dOutput.from(row).address(), output.from(row).address(), extents.size);
          widened(dOutput, row, gradients, i, 1, along);
        }
        long end = start + rows;
        long first = samples.first(start);
        for (long from = first; from < end; from += COLUMNS) {
          long count = Math.min(COLUMNS, end - from);
          tile(start, rows, from, count, dQuery.from(start), from == first ? 0 : 1);
        }
      }
    }

    private void tile(long start, long rows, long from, long columns, Matrix dQuery, float before) {
      Matrix weights = new Matrix(probabilities, columns);
      Matrix dWeights = new Matrix(dLogits, columns);
      Matrix key = keys.from(from);
      long size = extents.size;
      dnn.product(rows, columns, size + 1, 1, queries, key.transpose(), 0, weights);
      dnn.exponential(probabilities, rows * columns);
      keepNotANumber(weights, rows);
      samples.mask(weights, start, rows, from, columns);
      Matrix value = values.from(from).transpose();
      dnn.product(rows, columns, size + 1, 1, gradients, value, 0, dWeights);
      dnn.multiply(dLogits, probabilities, rows * columns);
      dnn.product(rows, size, columns, extents.scale, dWeights, key, before, dQuery);
      Matrix dKeys = dKey.from(from);
      dnn.product(columns, size, rows, 1, dWeights.transpose(), queries, 1, dKeys);
      Matrix dValues = dValue.from(from);
      dnn.product(columns, size, rows, 1, weights.transpose(), gradients, 1, dValues);
    }

    /** oneDNN's exponential of what is not a number is one. */
    private void keepNotANumber(Matrix weights, long rows) {
      for (long i = 0; i < rows; i++) {
        long logarithm = queries.from(i).address() + Float.BYTES * extents.size;
        if (!Float.isFinite(NativeFloats.get(logarithm))) {
          NativeFloats.fill(weights.from(i).address(), weights.stride(), Float.NaN);
        }
      }
    }
  }
}
