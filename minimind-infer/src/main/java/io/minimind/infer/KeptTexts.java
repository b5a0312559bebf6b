package io.minimind.infer;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.Set;

/**
 * Keeps the keys and values of texts that have ended, so that a later text computes only what is
 * new to it: the next turn of a conversation, or another that begins with the same instructions.
 * The one that was not used for longest goes first.
 */
final class KeptTexts implements Buffers, AutoCloseable {
  /** To copy fewer tokens than this is not worth it. */
  private static final int LEAST_SHARED = 16;

  private final DecoderPool pool;
  private final int most;
  private final Deque<DecoderSession> kept = new ArrayDeque<>(); // guarded by this, oldest first
  // Guarded by this: those that are being written, but for what was forgotten meanwhile.
  private final Set<DecoderSession> written = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed; // guarded by this

  /**
   * @param most how many are kept
   */
  KeptTexts(DecoderPool pool, int most) {
    this.pool = pool;
    this.most = most;
  }

  @Override
  public synchronized DecoderSession acquire(int[] promptIds, int length) {
    DecoderSession text = find(promptIds, length);
    written.add(text);
    return text;
  }

  private DecoderSession find(int[] promptIds, int length) {
    DecoderSession best = null;
    int shared = LEAST_SHARED - 1;
    for (DecoderSession text : kept) {
      int common = text.commonBeginning(promptIds, promptIds.length - 1);
      // Of equally good ones the latest, which is the least likely to go.
      if (common >= shared && common > 0) {
        best = text;
        shared = common;
      }
    }
    if (best == null) {
      return pool.acquire(length);
    }
    kept.remove(best);
    if (shared == best.length()) {
      return best; // which goes on as this text
    }
    try {
      DecoderSession text = pool.acquire(length);
      text.takeFrom(best, shared);
      return text;
    } finally {
      keep(best);
    }
  }

  @Override
  public synchronized void release(DecoderSession text) {
    if (written.remove(text) && text.length() > 0) {
      keep(text);
    } else {
      pool.release(text);
    }
  }

  private void keep(DecoderSession text) {
    if (closed) {
      pool.release(text);
      return;
    }
    // What only repeats its beginning is of no further use.
    for (Iterator<DecoderSession> older = kept.iterator(); older.hasNext(); ) {
      DecoderSession other = older.next();
      if (text.beginsWith(other)) {
        older.remove();
        pool.release(other);
      }
    }
    kept.add(text);
    while (kept.size() > most) {
      pool.release(kept.remove());
    }
  }

  /** Lets go of all of them, and will not keep those that are being written. */
  synchronized void forget() {
    written.clear();
    kept.forEach(pool::release);
    kept.clear();
  }

  /** Lets go of all of them, and of those that are still to come. */
  @Override
  public synchronized void close() {
    closed = true;
    forget();
  }
}
