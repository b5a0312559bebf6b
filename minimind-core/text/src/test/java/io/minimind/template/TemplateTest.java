package io.minimind.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.template.MarkedText.Span;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {

  private static String render(String template) {
    return Template.parse(template).render(Map.of());
  }

  private static String failure(String template) {
    return assertThrows(TemplateException.class, () -> render(template)).getMessage();
  }

  @Test
  void addsAsTheJavaScriptEngine() {
    assertEquals("a1 1.5b", render("{{ 'a' + 1 }} {{ 1.5 + 'b' }}"));
    assertEquals("False True", render("{{ 1 in [true] }} {{ 1 in [1.0] }}"));
    assertEquals(
        "2 3", render("{{ [1, 2, 3] | select('gt', 1) | length }} {{ ([1, 3] | map('abs'))[1] }}"));
    assertEquals("xa", render("{{ 'aa'.replace('a', 'x', count=1) }}"));
    assertEquals("null", render("{{ missing | tojson }}"));
  }

  @Test
  void takesValuesOfJava() {
    Map<String, Object> variables =
        Map.of(
            "numbers",
            new int[] {1, 2},
            "floats",
            Arrays.asList(1.5f, new BigDecimal("2.5"), null),
            "large",
            new BigInteger("18446744073709551615"),
            "short",
            (short) 3,
            "letter",
            'c',
            "empty",
            Optional.empty(),
            "set",
            Set.of("x"));
    assertEquals(
        "[1, 2] [1.5, 2.5, None] 18446744073709551615 4 c None ['x']",
        Template.parse(
                "{{ numbers }} {{ floats }} {{ large }} {{ short + 1 }} {{ letter }} {{ empty }} {{"
                    + " set }}")
            .render(variables));
    TemplateException refusal =
        assertThrows(
            TemplateException.class,
            () -> Template.parse("x").render(Map.of("thread", Thread.currentThread())));
    assertTrue(refusal.getMessage().contains("java.lang.Thread"), refusal.getMessage());
  }

  /** Also where Java would write a number with other digits. */
  @Test
  void writesNumbersAlikeInAllLocales() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("fa-IR"));
    try {
      assertEquals(
          "1e+16 1.500000e-07 2e+200",
          render("{{ 1e16 }} {{ '%e' % 1.5e-7 }} {{ '{:g}'.format(2e200) }}"));
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void sortsNanBehindAllNumbers() {
    Random random = new Random(1);
    List<Object> numbers = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      numbers.add(random.nextInt(4) == 0 ? (Object) Double.NaN : random.nextInt(1000));
    }
    List<String> expected =
        numbers.stream()
            .sorted(Comparator.comparingDouble(number -> ((Number) number).doubleValue()))
            .map(number -> number instanceof Double ? "nan" : number.toString())
            .toList();
    assertEquals(
        String.join(" ", expected),
        Template.parse("{{ x | sort | join(' ') }}").render(Map.of("x", numbers)));
    List<List<Object>> lists = numbers.stream().map(number -> List.of(number, 1)).toList();
    assertEquals(
        String.join(" ", expected),
        Template.parse("{{ x | sort | map('first') | join(' ') }}").render(Map.of("x", lists)));
  }

  /** The fields, the values, and what Python's operator % gives for them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "%.1f %.2f %.0f %.0f;[0.25, 1.005, 2.5, 3.5];0.2 1.00 2 4",
        "%.1f %08.2f %+.1f %f;[-0.01, -3.14159, 2.25, 7];-0.0 -0003.14 +2.2 7.000000",
        "%f %F %06.1f;['nan'|float, '-inf'|float, 'inf'|float];nan -INF 000inf",
        "%.3f;[1e22];10000000000000000000000.000",
        "%e %.2e %.0e;[0.0, 1.125e10, 2.5];0.000000e+00 1.12e+10 2e+00",
        "%.3E %e;[-9.9996e-7, 1000.0];-1.000E-06 1.000000e+03",
        "%d %+5d %-6dx %d %i;[-3.99, 7, 7, true, 1e20];-3    +7 7     x 1 100000000000000000000",
        "%x %05X;[-255, -171];-ff -00AB",
        "%.2s %5s %05s;['😀😀😀', 'é', 'a'];😀😀     é     a",
      })
  void formatsAsPython(String format, String values, String expected) {
    assertEquals(
        expected,
        render("{{ '" + format + "' % " + values.replace("[", "(").replace("]", ",)") + " }}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"%g", "%G", "%.3d", "%5.2x", "% d", "%#x", "%y", "%"})
  void formatsThatAreNotSupportedAreNamed(String field) {
    String message = failure("{{ 'a " + field + "' % 5 }}");
    assertTrue(message.contains("\"" + field + "\", which is not supported"), message);
  }

  @Test
  void readsTheClock() {
    Clock clock = Clock.fixed(Instant.parse("2025-07-04T03:05:09Z"), ZoneOffset.UTC);
    // As Python's datetime(2025, 7, 4, 3, 5, 9).strftime in the C locale.
    assertEquals(
        "04 Jul 2025|4 July 25|Fri Friday|03:05:09 AM|2025-07-04|185|100%",
        Template.parse("{{ strftime_now('%d %b %Y|%-d %B %y|%a %A|%I:%M:%S %p|%F|%j|100%%') }}")
            .render(Map.of(), clock));
    assertTrue(failure("{{ strftime_now('%Q') }}").contains("%Q"));
  }

  @Test
  void errorsNameTemplateLineAndColumn() {
    String message =
        assertThrows(TemplateException.class, () -> Template.parse("a\n😀 {{ x y }}", "chat.jinja"))
            .getMessage();
    assertEquals("chat.jinja, line 2, column 8: expected \"}}\", found \"y\".", message);
    assertEquals("Template, line 2, column 5: \"b\" is undefined.", failure("{{ 1 }}\n{{ b.c }}"));
    assertEquals(
        "Template, line 1, column 19: Roles must alternate!",
        failure("{{ raise_exception('Roles must alternate!') }}"));
    assertTrue(failure("{% for x in y %}\n{% if x %}\n").startsWith("Template, line 2"));
    assertTrue(failure("{% if x %}{% endfor %}").contains("{% endif %}"));
    assertTrue(failure("{% include 'a' %}").contains("\"include\""));
    assertTrue(failure("a\n\n {{ 'abc | upper }}").startsWith("Template, line 3, column 5: "));
    assertTrue(failure("{{ x | nope }}").startsWith("Template, line 1, column 8: "));
  }

  @Test
  void marksWhatStandsInGenerationBlocks() {
    Template template =
        Template.parse(
            "{% for m in ms %}<{{ m }}>{% generation %}{{ m }}!{% generation %}?{% endgeneration"
                + " %}{% endgeneration %}{% generation %}{% endgeneration %}\n"
                + "{% endfor %}");
    assertTrue(template.marksGeneration());
    MarkedText marked = template.renderMarked(Map.of("ms", List.of("a", "😀")));
    assertEquals("<a>a!?<😀>😀!?", marked.text());
    assertEquals(List.of(new Span(3, 6), new Span(10, 14)), marked.spans());
    assertEquals(marked.text(), template.render(Map.of("ms", List.of("a", "😀"))));

    Template plain = Template.parse("a {{ 'generation' }}");
    assertFalse(plain.marksGeneration());
    assertEquals(List.of(), plain.renderMarked(Map.of()).spans());

    Template inMacro =
        Template.parse(
            "{% macro m() %}{% generation %}x{% endgeneration %}{% endmacro %}{{ m() }}");
    assertEquals("x", inMacro.render(Map.of()));
    TemplateException refusal =
        assertThrows(TemplateException.class, () -> inMacro.renderMarked(Map.of()));
    assertTrue(
        refusal.getMessage().startsWith("Template, line 1, column 16: "), refusal.getMessage());
  }
}
