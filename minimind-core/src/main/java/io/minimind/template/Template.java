package io.minimind.template;

import java.util.List;
import java.util.Map;

/** A stand-in until the engine is here: text without tags only. */
public final class Template {
  private final String source;

  private Template(String source) {
    this.source = source;
  }

  public static Template parse(String source) {
    return parse(source, "Template");
  }

  public static Template parse(String source, String name) {
    return new Template(source);
  }

  public String render(Map<String, ?> variables) {
    return renderMarked(variables).text();
  }

  public MarkedText renderMarked(Map<String, ?> variables) {
    return new MarkedText(source, List.of());
  }

  public boolean marksGeneration() {
    return source.contains("generation %}");
  }
}
