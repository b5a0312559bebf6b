package io.minimind.files;

import com.fasterxml.jackson.core.JsonProcessingException;

/** What to tell people about JSON that cannot be read. */
public final class JsonErrors {

  private JsonErrors() {}

  /**
   * Where the error is, as {@code " at line 3, column 5"}; empty where Jackson does not know, as
   * for JSON that is nested too deeply.
   */
  public static String place(JsonProcessingException e) {
    return e.getLocation() == null
        ? ""
        : " at line %d, column %d"
            .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
  }
}
