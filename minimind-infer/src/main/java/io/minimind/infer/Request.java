package io.minimind.infer;

import io.minimind.tokenizer.Tokenizer;
import java.lang.ref.Reference;
import java.nio.FloatBuffer;

/**
 * What is wanted of a model.
 *
 * @param model is kept from being collected while the answer is written
 * @param most the most tokens of the answer
 */
record Request(
    Object model,
    Decoder decoder,
    Tokenizer tokenizer,
    int[] promptIds,
    int most,
    GenerationOptions options,
    Buffers buffers) {

  DecoderSession acquire() {
    return buffers.acquire(
        promptIds, promptIds.length + Math.min(most, DecoderPool.LEAST_CAPACITY));
  }

  Answer answer(int reusedTokens) {
    return new Answer(decoder, tokenizer, promptIds, reusedTokens, most, options);
  }

  /** The logits after these tokens, the next of the text. */
  FloatBuffer append(DecoderSession text, int... ids) {
    try {
      return decoder.pool().append(text, ids);
    } finally {
      Reference.reachabilityFence(model);
    }
  }

  /** Appends tokens of a prompt that goes on. */
  void prefill(DecoderSession text, int... ids) {
    try {
      decoder.pool().prefill(text, ids);
    } finally {
      Reference.reachabilityFence(model);
    }
  }
}
