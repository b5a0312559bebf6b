package io.minimind.infer;

/** Why a generation ended. */
public enum FinishReason {
  /** The model produced its end-of-text token, which is not part of the result. */
  END_OF_TEXT,
  /** The requested number of new tokens was reached, or the context was full. */
  LENGTH,
  /** The listener asked to stop, or the model was closed. */
  CANCELLED
}
