package io.minimind.files;

/** A setting cannot be, or does not go with the others. */
public final class ArgumentException extends IllegalArgumentException implements Mistake {
  private static final long serialVersionUID = 1;

  /**
   * @param sentence as {@link Mistake} describes it
   */
  public ArgumentException(String sentence) {
    super(sentence);
  }

  public ArgumentException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
