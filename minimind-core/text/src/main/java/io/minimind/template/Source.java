package io.minimind.template;

/** The text of a template, with line feeds for line ends, and a name for messages. */
record Source(String name, String text) {

  /**
   * As jinja2 reads a template: every line end is a line feed, and one at the very end is dropped.
   */
  static Source of(String name, String text) {
    String lines = text.replace("\r\n", "\n").replace('\r', '\n');
    return new Source(name, lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
  }

  /** Says what is wrong at an offset of the text. */
  TemplateException error(int offset, String problem) {
    int line = 1;
    int lineStart = 0;
    for (int i = 0; i < offset; i++) {
      if (text.charAt(i) == '\n') {
        line++;
        lineStart = i + 1;
      }
    }
    int column = text.codePointCount(lineStart, offset) + 1;
    return new TemplateException(
        "%s, line %d, column %d: %s".formatted(name, line, column, sentence(problem)));
  }

  private static String sentence(String problem) {
    return problem.matches("(?s).*[.!?。！？]\\s*") ? problem : problem + ".";
  }
}
