package io.minimind.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.regex.Pattern;

/** What to tell people about JSON that cannot be read. */
public final class JsonErrors {

  /** Jackson adds in which input a bracket was opened, but never has a name for the input. */
  private static final Pattern BEGINNING = Pattern.compile(" \\([^(]*\\[Source: [^]]*]\\)");

  private JsonErrors() {}

  /** What is wrong with it. */
  public static String reason(JsonProcessingException e) {
    return BEGINNING.matcher(e.getOriginalMessage()).replaceAll("");
  }

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
