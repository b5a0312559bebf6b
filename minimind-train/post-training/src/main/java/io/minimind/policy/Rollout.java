package io.minimind.policy;

import io.minimind.data.Sample;
import java.util.BitSet;

/**
 * A prompt and what the model wrote, as the very ids that were drawn: they are never made of text
 * again, which may give others.
 *
 * @param ids all of them, at least 1
 * @param written which of them the model drew, the one that ended the text included
 * @param answer what rewards see
 */
record Rollout(int[] ids, BitSet written, Answer answer) {

  Rollout {
    // Nothing is learnt from a prompt that fills the context, but a batch has a row for it.
    ids = ids.length > 1 ? ids : new int[] {ids[0], ids[0]};
  }

  /** Values of tokens, 0 unless they were written. */
  float[] tokens(float value) {
    float[] values = new float[ids.length];
    written.stream().forEach(i -> values[i] = value);
    return values;
  }

  /** Its ids, of which those that were written are the targets. */
  Sample sample() {
    return new Sample(ids, written);
  }
}
