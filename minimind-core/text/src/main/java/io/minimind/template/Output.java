package io.minimind.template;

import io.minimind.template.MarkedText.Span;
import java.util.ArrayList;
import java.util.List;

/** The text that has been rendered. */
final class Output {

  private final StringBuilder text = new StringBuilder();
  private final List<Span> spans = new ArrayList<>();

  void append(String part) {
    if (text.length() + (long) part.length() > Template.MAX_LENGTH) {
      throw new Failure("the text is longer than %d characters", Template.MAX_LENGTH);
    }
    text.append(part);
  }

  int length() {
    return text.length();
  }

  /** Marks what was rendered since a length of the text. */
  void mark(int start) {
    if (text.length() > start) {
      spans.add(new Span(start, text.length()));
    }
  }

  MarkedText marked() {
    return new MarkedText(text.toString(), spans);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
