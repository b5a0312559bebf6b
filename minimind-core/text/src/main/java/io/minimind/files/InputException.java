package io.minimind.files;

import java.io.IOException;

/** A file or a folder, or something in it, cannot be used. */
public class InputException extends IOException implements Mistake {
  private static final long serialVersionUID = 1;

  /**
   * @param sentence as {@link Mistake} describes it
   */
  public InputException(String sentence) {
    super(sentence);
  }

  public InputException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
