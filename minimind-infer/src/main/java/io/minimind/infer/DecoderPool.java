package io.minimind.infer;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The native side of a decoder: the runtime's session, which all texts share, and the buffers that
 * wait for a next text.
 */
final class DecoderPool implements Buffers, AutoCloseable {
  /**
   * Below this, buffers are not made to measure: the next prompt would soon outgrow them. An answer
   * for which no more than this was asked has its buffers from the beginning.
   */
  static final int LEAST_CAPACITY = 256;

  /** So many buffers are kept for later texts; the others of a rush are freed. */
  private static final int MOST_IDLE = 8;

  private final Path folder;
  private volatile GraphSession graph; // written while nothing computes
  private final DecoderShape shape;
  private final int contextLength;
  private final Deque<DecoderSession> idle = new ArrayDeque<>(); // guarded by this
  private final ReadWriteLock computing = new ReentrantReadWriteLock();
  private volatile boolean closed; // written while nothing computes

  DecoderPool(Path folder, GraphSession graph, DecoderShape shape, int contextLength) {
    this.folder = folder;
    this.graph = graph;
    this.shape = shape;
    this.contextLength = contextLength;
  }

  DecoderShape shape() {
    return shape;
  }

  int contextLength() {
    return contextLength;
  }

  /** Buffers for a text that is yet empty, with room for so many tokens. */
  synchronized DecoderSession acquire(int length) {
    checkOpen();
    DecoderSession text = idle.poll();
    if (text != null && text.capacity() < length) {
      text.close();
      text = null;
    }
    if (text == null) {
      int capacity = capacity(length);
      try {
        text = DecoderSession.create(shape, capacity);
      } catch (OrtException e) {
        throw new IllegalStateException(
            "The model in " + folder + " has no buffers for " + capacity + " tokens.", e);
      }
    }
    text.reset();
    return text;
  }

  @Override
  public DecoderSession acquire(int[] promptIds, int length) {
    return acquire(length);
  }

  /** What to allocate for texts of this length, so that they do not outgrow it soon. */
  int capacity(int length) {
    // Doubling lets a growing conversation replace its buffers only a few times.
    long rounded = Math.max(LEAST_CAPACITY, 2L * Integer.highestOneBit(length - 1));
    return shape.bufferLength() > 0 ? shape.bufferLength() : (int) Math.min(contextLength, rounded);
  }

  @Override
  public synchronized void release(DecoderSession text) {
    if (closed || idle.size() == MOST_IDLE) {
      text.close();
    } else {
      idle.push(text);
    }
  }

  /**
   * As {@link DecoderSession#append}, as long as the model is open; makes room for the tokens.
   *
   * @throws IllegalStateException if the model is closed, the runtime fails, or there is no memory
   *     for more tokens
   */
  FloatBuffer append(DecoderSession text, int... ids) {
    return compute(
        runtime -> {
          makeRoom(text, text.length() + ids.length);
          return text.append(runtime, ids);
        });
  }

  /** As {@link DecoderSession#prefill}, and otherwise as {@link #append}. */
  void prefill(DecoderSession text, int... ids) {
    compute(
        runtime -> {
          makeRoom(text, text.length() + ids.length);
          text.prefill(runtime, ids);
          return text;
        });
  }

  /** Lets the buffers of a text grow if they are too small for so many tokens. */
  void makeRoom(DecoderSession text, int length) throws OrtException {
    if (text.capacity() < length) {
      text.grow(capacity(length));
    }
  }

  /** What the runtime computes. */
  interface Computation<T> {
    T on(OrtSession session) throws OrtException;
  }

  /**
   * @throws IllegalStateException if the model is closed, or the runtime fails
   */
  <T> T compute(Computation<T> computation) {
    computing.readLock().lock();
    try {
      checkOpen();
      return computation.on(graph.session());
    } catch (OrtException e) {
      throw new IllegalStateException(
          "The model in " + folder + " failed to compute (ONNX Runtime says: " + reason(e) + ").",
          e);
    } finally {
      computing.readLock().unlock();
    }
  }

  /** Opens a session of the runtime. */
  interface Opening {
    GraphSession open() throws IOException, OrtException;
  }

  /**
   * Computes with another session from now on, over a graph of the same shape; the buffers stay. If
   * it cannot be opened, the model is closed.
   */
  void renew(Opening opening) throws IOException, OrtException {
    computing.writeLock().lock();
    try {
      checkOpen();
      graph.close(); // Two copies of the weights at a time would be one too many.
      graph = opening.open();
    } catch (IOException | OrtException | RuntimeException | Error e) {
      closed = true;
      throw e;
    } finally {
      computing.writeLock().unlock();
    }
  }

  /** The runtime's reason without the marks around it, which are of use to its developers only. */
  static String reason(OrtException e) {
    return e.getMessage().strip().replaceAll("(?s).*( message:| FAIL :) ", "");
  }

  private void checkOpen() {
    if (closed) {
      throw new ClosedModelException(folder);
    }
  }

  /** Waits for the step that is being computed, and frees everything. */
  @Override
  public void close() {
    computing.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        graph.close();
      }
    } catch (OrtException e) {
      throw new IllegalStateException("The model in " + folder + " cannot be closed.", e);
    } finally {
      computing.writeLock().unlock();
    }
    synchronized (this) {
      idle.forEach(DecoderSession::close);
      idle.clear();
    }
  }
}
