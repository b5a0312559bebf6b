package io.minimind.infer;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/** An answer that is being written, with what computes it. */
abstract sealed class Writing implements AutoCloseable permits SoloWriting, BatchedWriting {
  final Request request;
  DecoderSession text; // null before the first token and after the last
  Answer answer; // null before the first token
  private volatile boolean cancelled;
  private volatile Throwable failure; // null unless it failed

  Writing(Request request) {
    this.request = request;
  }

  /**
   * Waits for the next piece, never empty; nothing when the answer has ended. Once it failed, each
   * further call fails in the same way.
   */
  abstract Optional<Piece> next();

  /** Ends the answer at its next token; for any thread. */
  void cancel() {
    cancelled = true;
  }

  /** Whether to write no more. */
  boolean cancelled() {
    return cancelled;
  }

  /** Cancels and frees. */
  @Override
  public abstract void close();

  /** All that was written, once {@link #next} gave nothing or the answer was closed. */
  synchronized Generation result() {
    if (answer == null) {
      return Generation.unbegun(request.promptIds().length);
    }
    answer.end(FinishReason.CANCELLED); // Unless it has ended; one that failed has not.
    return answer.generation();
  }

  /** Computes the prompt and the first token. */
  String begin() {
    text = request.acquire();
    answer = request.answer(text.length());
    if (answer.ended()) {
      return "";
    }
    if (text.length() == request.promptIds().length) {
      return answer.next(text.following().orElseThrow());
    }
    FloatBuffer logits = null;
    while (logits == null) {
      if (!mayCompute()) {
        return answer.end(FinishReason.CANCELLED);
      }
      try {
        logits = computePart();
      } finally {
        computed();
      }
    }
    return answer.next(logits);
  }

  /** Computes the next part of the prompt; the logits after the last, null after another. */
  private FloatBuffer computePart() {
    int[] ids = request.promptIds();
    int end = Math.min(ids.length, text.length() + DecoderSession.CHUNK);
    int[] part = Arrays.copyOfRange(ids, text.length(), end);
    if (end == ids.length) {
      return request.append(text, part);
    }
    request.prefill(text, part);
    return null;
  }

  /** Waits until the next part of the prompt may be computed; false if nobody wants it any more. */
  abstract boolean mayCompute();

  /** A part was computed. */
  abstract void computed();

  /** Keeps why the answer cannot go on. */
  void failed(Throwable cause) {
    failure = cause;
  }

  /** Throws why the answer cannot go on, if it failed. */
  void checkFailure() {
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
  }

  /** Gives the buffers back; what is computed after that is lost. */
  void release() {
    if (text != null) {
      if (failure != null) {
        text.reset(); // of which an unknown part was computed
      }
      request.buffers().release(text);
      text = null;
    }
  }
}
