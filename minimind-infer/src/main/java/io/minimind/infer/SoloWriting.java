package io.minimind.infer;

import java.util.Optional;

/** An answer that the reading thread computes by itself. */
final class SoloWriting extends Writing {
  private final int[] last = new int[1];

  SoloWriting(Request request) {
    super(request);
  }

  @Override
  synchronized Optional<Piece> next() {
    checkFailure();
    if (answer == null && cancelled()) {
      return Optional.empty();
    }
    String piece = "";
    try {
      while (piece.isEmpty() && (answer == null || !answer.ended())) {
        piece = answer == null ? begin() : advance();
      }
    } catch (RuntimeException | Error e) {
      failed(e);
      release();
      throw e;
    }
    if (answer.ended()) {
      release();
    }
    return piece.isEmpty() ? Optional.empty() : Optional.of(answer.piece(piece));
  }

  @Override
  boolean mayCompute() {
    return !cancelled();
  }

  @Override
  void computed() {}

  private String advance() {
    if (cancelled()) {
      return answer.end(FinishReason.CANCELLED);
    }
    try {
      last[0] = answer.lastToken();
      return answer.next(request.append(text, last));
    } catch (ClosedModelException e) {
      return answer.end(FinishReason.CANCELLED);
    }
  }

  @Override
  public void close() {
    cancel();
    synchronized (this) {
      if (answer != null) {
        answer.end(FinishReason.CANCELLED);
      }
      release();
    }
  }
}
