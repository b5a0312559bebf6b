package io.minimind.template;

/**
 * @param text as it is written; of a string, what it stands for
 * @param offset in the source
 */
record Token(Kind kind, String text, int offset) {

  enum Kind {
    TEXT,
    PRINT_START,
    PRINT_END,
    TAG_START,
    TAG_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind expected, String expectedText) {
    return kind == expected && text.equals(expectedText);
  }

  @Override
  public String toString() {
    return switch (kind) {
      case END -> "the end of the template";
      case TEXT -> "text";
      case PRINT_START, TAG_START, PRINT_END, TAG_END -> "the end of the tag";
      case STRING -> "a string";
      default -> "\"" + text + "\"";
    };
  }
}
