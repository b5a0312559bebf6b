package io.minimind.infer;

/** Where the buffers of a text come from, and where they go when it has ended. */
interface Buffers {

  /**
   * Buffers that may already hold a beginning of the prompt, or all of it with what follows.
   *
   * @param length how many tokens there is room for; more make the buffers grow
   */
  DecoderSession acquire(int[] promptIds, int length);

  void release(DecoderSession text);
}
