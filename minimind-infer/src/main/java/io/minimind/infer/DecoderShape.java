package io.minimind.infer;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.minimind.files.DecoderNames;
import java.io.IOException;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What the inputs and outputs of a decoder graph tell about the model.
 *
 * @param layers number of layers that keep keys and values
 * @param keyValueHeads heads of the keys and values
 * @param headSize numbers per head
 * @param vocabularySize logits per position
 * @param choosesPositions whether the graph computes logits only where it is asked to; older ones
 *     do so at every position
 * @param hiddenSize numbers per position of what the logits are computed from, or 0 if the graph
 *     does not give it out
 * @param bufferLength positions that the key and value buffers must have, or -1 if they may have
 *     any number
 */
record DecoderShape(
    int layers,
    int keyValueHeads,
    int headSize,
    int vocabularySize,
    boolean choosesPositions,
    int hiddenSize,
    int bufferLength) {

  /**
   * @throws IOException if the graph is not a decoder
   */
  static DecoderShape of(OrtSession session, Path file) throws IOException, OrtException {
    Map<String, NodeInfo> inputs = session.getInputInfo();
    Map<String, NodeInfo> outputs = session.getOutputInfo();
    check(file, "input", DecoderNames.INPUT_IDS, inputs, OnnxJavaType.INT64, 2);
    check(file, "input", DecoderNames.LAST_POSITION, inputs, OnnxJavaType.INT32, 1);
    check(file, "input", DecoderNames.TOTAL_LENGTH, inputs, OnnxJavaType.INT32, 0);
    boolean choosesPositions = inputs.containsKey(DecoderNames.LOGIT_POSITIONS);
    if (choosesPositions) {
      check(file, "input", DecoderNames.LOGIT_POSITIONS, inputs, OnnxJavaType.INT64, 1);
    }
    int axes = choosesPositions ? 2 : 3;
    long[] logits = check(file, "output", DecoderNames.LOGITS, outputs, OnnxJavaType.FLOAT, axes);
    long[] buffer =
        check(file, "input", DecoderNames.past(0, DecoderNames.KEY), inputs, OnnxJavaType.FLOAT, 4);
    int layers = 0;
    for (; inputs.containsKey(DecoderNames.past(layers, DecoderNames.KEY)); layers++) {
      for (String part : List.of(DecoderNames.KEY, DecoderNames.VALUE)) {
        String input = DecoderNames.past(layers, part);
        String output = DecoderNames.present(layers, part);
        long[] in = check(file, "input", input, inputs, OnnxJavaType.FLOAT, 4);
        long[] out = check(file, "output", output, outputs, OnnxJavaType.FLOAT, 4);
        if (!Arrays.equals(in, buffer) || !Arrays.equals(out, buffer)) {
          throw notDecoder(file, input + " and " + output + " differ in shape from those before");
        }
      }
    }
    int heads = fixed(file, DecoderNames.past(0, DecoderNames.KEY), buffer, 1);
    int headSize = fixed(file, DecoderNames.past(0, DecoderNames.KEY), buffer, 3);
    int vocabulary = fixed(file, DecoderNames.LOGITS, logits, axes - 1);
    int hidden = 0;
    if (outputs.containsKey(DecoderNames.HIDDEN_STATES)) {
      long[] states =
          check(file, "output", DecoderNames.HIDDEN_STATES, outputs, OnnxJavaType.FLOAT, 3);
      hidden = fixed(file, DecoderNames.HIDDEN_STATES, states, 2);
    }
    return new DecoderShape(
        layers, heads, headSize, vocabulary, choosesPositions, hidden, (int) buffer[2]);
  }

  /** All positions up to a number, from which those that need logits are taken. */
  static LongBuffer positions(int count) {
    LongBuffer positions = KeyValueCache.direct(count, Long.BYTES).asLongBuffer();
    for (int i = 0; i < count; i++) {
      positions.put(i, i);
    }
    return positions;
  }

  /** The extents of the logits of so many texts' positions, as many in each. */
  long[] logits(int texts, int positions) {
    return choosesPositions
        ? new long[] {(long) texts * positions, vocabularySize}
        : new long[] {texts, positions, vocabularySize};
  }

  private static long[] check(
      Path file,
      String kind,
      String name,
      Map<String, NodeInfo> tensors,
      OnnxJavaType type,
      int dimensions)
      throws IOException {
    NodeInfo found = tensors.get(name);
    if (found == null) {
      throw notDecoder(file, "the " + kind + " " + name + " is missing");
    }
    if (!(found.getInfo() instanceof TensorInfo info)
        || info.type != type
        || info.getShape().length != dimensions) {
      throw notDecoder(
          file,
          "the %s %s is %s but must be a %s tensor of %d dimensions"
              .formatted(kind, name, found.getInfo(), type, dimensions));
    }
    return info.getShape();
  }

  private static int fixed(Path file, String name, long[] shape, int axis) throws IOException {
    if (shape[axis] < 1) {
      throw notDecoder(file, "dimension " + axis + " of " + name + " is open but must be a number");
    }
    return (int) shape[axis];
  }

  private static IOException notDecoder(Path file, String reason) {
    return new IOException(
        file + " is not a decoder for text generation: " + reason + "; export the model again.");
  }
}
