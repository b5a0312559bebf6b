package io.minimind.infer;

/** Why a generation ended. */
public enum FinishReason {
  /**
   * The model produced its end-of-text token, which is not part of the result, or a constraint left
   * nothing that could follow.
   */
  END_OF_TEXT,
  /** A stop string was complete; it is not part of the text. */
  STOP_STRING,
  /** The requested number of new tokens was reached, or the context was full. */
  LENGTH,
  /** The generation was cancelled, or its stream or the model was closed. */
  CANCELLED
}
