package io.minimind.infer;

import java.util.Arrays;
import java.util.Optional;

/** An answer that is being written, with what computes it. */
abstract sealed class Writing implements AutoCloseable permits SoloWriting, BatchedWriting {
  /** Tokens of a prompt that are computed before it is asked whether anyone still wants it. */
  private static final int PROMPT_STEP = 256;

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
      answer = request.answer(0);
      answer.end(FinishReason.CANCELLED);
    }
    return answer.generation();
  }

  /** Computes the prompt and the first token. */
  String begin() {
    text = request.acquire();
    answer = request.answer(text.length());
    if (answer.ended()) {
      return "";
    }
    int[] ids = request.promptIds();
    if (text.length() == ids.length) {
      return answer.next(text.following().orElseThrow());
    }
    while (ids.length - text.length() > PROMPT_STEP) {
      request.append(text, Arrays.copyOfRange(ids, text.length(), text.length() + PROMPT_STEP));
      if (cancelled) {
        return answer.end(FinishReason.CANCELLED);
      }
    }
    return answer.next(request.append(text, Arrays.copyOfRange(ids, text.length(), ids.length)));
  }

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
