package io.minimind.infer;

/** The keys and values of a conversation, kept from turn to turn. */
final class ChatBuffers implements Buffers, AutoCloseable {
  private final DecoderPool pool;
  private DecoderSession text; // null until the first turn
  private boolean inUse;
  private boolean closed;

  ChatBuffers(DecoderPool pool) {
    this.pool = pool;
  }

  @Override
  public synchronized DecoderSession acquire(int[] promptIds, int length) {
    if (text == null) {
      text = pool.acquire(length);
    }
    text.keepBeginning(promptIds, promptIds.length - 1);
    inUse = true;
    return text;
  }

  @Override
  public synchronized void release(DecoderSession released) {
    inUse = false;
    free();
  }

  /** Forgets the conversation, of which an unknown part has been computed. */
  synchronized void clear() {
    if (text != null) {
      text.reset();
    }
  }

  /** Frees the buffers, at the latest when the answer that uses them has ended. */
  @Override
  public synchronized void close() {
    closed = true;
    free();
  }

  private void free() {
    if (closed && !inUse && text != null) {
      pool.release(text);
      text = null;
    }
  }
}
