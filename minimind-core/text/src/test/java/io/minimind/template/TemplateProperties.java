package io.minimind.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class TemplateProperties {

  private static final List<String> PIECES =
      List.of(
          "{{",
          "}}",
          "{%",
          "%}",
          "{#",
          "#}",
          "-",
          "+",
          " ",
          "\n",
          "x",
          "1",
          "'a'",
          "\"",
          "'",
          "\\",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          ",",
          ":",
          ".",
          "|",
          "=",
          "==",
          "~",
          "*",
          "**",
          "/",
          "%",
          "if",
          "else",
          "elif",
          "endif",
          "for",
          "in",
          "endfor",
          "set",
          "endset",
          "macro",
          "endmacro",
          "call",
          "endcall",
          "filter",
          "endfilter",
          "raw",
          "endraw",
          "generation",
          "endgeneration",
          "is",
          "not",
          "and",
          "or",
          "defined",
          "upper",
          "tojson",
          "range",
          "loop",
          "recursive",
          "break",
          "with",
          "endwith",
          "namespace",
          "9",
          "1e9",
          "😀",
          "\u3000",
          "\r\n",
          "caller");

  @Provide
  Arbitrary<String> templates() {
    return Arbitraries.of(PIECES).list().ofMaxSize(30).map(pieces -> String.join("", pieces));
  }

  @Provide
  Arbitrary<String> expressions() {
    return Arbitraries.of(PIECES)
        .list()
        .ofMaxSize(8)
        .map(pieces -> "{{ " + String.join(" ", pieces) + " }}");
  }

  @Provide
  Arbitrary<String> data() {
    Arbitrary<String> braces =
        Arbitraries.of(PIECES).list().ofMaxSize(20).map(pieces -> String.join("", pieces));
    return Arbitraries.oneOf(braces, Arbitraries.strings());
  }

  @Property(tries = 300)
  void dataIsNeverATemplate(@ForAll("data") String text) {
    Map<String, Object> variables = Map.of("x", text, "list", List.of(text, Map.of("k", text)));
    assertEquals(text, Template.parse("{{ x }}").render(variables));
    assertEquals(
        "<" + text + "|" + text + text + ">",
        Template.parse(
                "{% set y = x %}{% macro m(a) %}{{ a }}{% endmacro %}<{{ y }}|{{ m(list[0]) }}"
                    + "{% for i in list %}{{ i.k }}{% endfor %}>")
            .render(variables));
  }

  @Property(tries = 2000)
  void anyTemplateRendersOrIsRefused(@ForAll("templates") String template) {
    rendersOrIsRefused(template);
  }

  @Property(tries = 2000)
  void anyExpressionRendersOrIsRefused(@ForAll("expressions") String template) {
    rendersOrIsRefused(template);
  }

  private static void rendersOrIsRefused(String template) {
    try {
      Template.parse(template).render(Map.of("x", List.of("a", 1)));
    } catch (TemplateException e) {
      assertTrue(
          e.getMessage().matches("(?s)Template, line \\d+, column \\d+: .*\\."), e.getMessage());
    }
  }

  @Property(tries = 500)
  void floatsAreTheShortestThatGiveThemselvesBack(@ForAll double number) {
    String text = Numbers.toText(number);
    assertEquals(number, Double.parseDouble(text));
    assertTrue(text.replaceAll("[-.]|e.*", "").length() <= 19, text);
  }
}
