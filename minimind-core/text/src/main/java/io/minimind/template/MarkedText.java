package io.minimind.template;

import java.util.List;

/**
 * A rendered text and what of it stands inside {@code {% generation %}} blocks.
 *
 * @param spans in the order of the text, none empty and none overlapping
 */
public record MarkedText(String text, List<Span> spans) {

  public MarkedText {
    spans = List.copyOf(spans);
  }

  /**
   * A part of a text, in {@code char}s.
   *
   * @param start the first one
   * @param end after the last one
   */
  public record Span(int start, int end) {}
}
