package io.minimind.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a template does, it ends, and says why. */
class TemplateLimitsTest {

  private static final int SMALL_STACK = 512 * 1024;

  /** Runs on a thread with half of the usual stack, where no limit of nesting may be too high. */
  private static TemplateException refusal(String template) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                Template.parse(template).render(Map.of());
              } catch (Throwable e) {
                thrown.set(e);
              }
            },
            "small stack",
            SMALL_STACK);
    thread.start();
    thread.join();
    return assertThrows(
        TemplateException.class,
        () -> {
          if (thrown.get() != null) {
            throw thrown.get();
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "[", "{1:", "-", "not ", "x(", "x[", "(1 if ", "a|join(", "f(*"})
  void deepExpressions(String opening) throws InterruptedException {
    String message = refusal("{{ " + opening.repeat(100_000) + "1 }}").getMessage();
    assertTrue(message.contains("nested") || message.contains("expected"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", ".a", "[a]", "[", "{", "!r", ":"})
  void longFields(String part) throws InterruptedException {
    String message =
        refusal("{{ ('{x' ~ '" + part + "' * 100000 ~ '}').format(y=1) }}").getMessage();
    assertTrue(message.contains("the format "), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% if 1 %}",
        "{% for x in y %}",
        "{% macro m() %}",
        "{% generation %}",
        "{% set (((("
      })
  void deepTags(String opening) throws InterruptedException {
    String message = refusal(opening.repeat(50_000)).getMessage();
    assertTrue(message.contains("nested") || message.contains("expected"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{% for i in [1] %}{% if 1 %}{{ [(m() ~ 1) | upper] }}{% endif %}{% endfor"
            + " %}{% endmacro %}{{ m() }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% set ns = namespace(a=[]) %}{% for i in range(5000) %}{% set ns.a = [ns.a] %}{% endfor"
            + " %}{{ ns.a }}",
        "{% set ns = namespace(a=[]) %}{% for i in range(5000) %}{% set ns.a = [ns.a] %}{% endfor"
            + " %}{{ ns.a == ns.a }}",
        "{% set ns = namespace(a={}) %}{% for i in range(5000) %}{% set ns.a = {'a': ns.a} %}{%"
            + " endfor %}{{ ns.a | tojson }}"
      })
  void deepEvaluation(String template) throws InterruptedException {
    String message = refusal(template).getMessage();
    assertTrue(message.contains("nested more than " + Template.MAX_DEPTH), message);
  }

  @Test
  void longChainsOfOperators() throws InterruptedException {
    assertTrue(refusal("{{ 1" + " + 1".repeat(20_000) + " }}").getMessage().contains("nested"));
    assertEquals("101", Template.parse("{{ 1" + " + 1".repeat(100) + " }}").render(Map.of()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ 'ab' * 100000000 }}",
        "{{ 'a' * 9223372036854775807 }}",
        "{{ [1] * 1000000 }}",
        "{{ range(100001) | length }}",
        "{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{{ 'a'.center(1000000000) }}",
        "{{ 'a' | indent('x' * 10000000, true) | replace('x', 'yyyyyyyyyyyyyyyy') }}",
        "{% set ns = namespace(s='x') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ ns.s | tojson }}",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s]"
            + " %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        "{% set s = 'xxxxxxxxxxxxxxxx' * 100000 %}{% for i in range(100000) %}{{ s }}{% endfor %}",
        "{% set s = 'x' * 10000000 %}{{ s.count('x' * 5000000) }}{{ s.replace('x', 'yy') }}",
        "{% set a = 'a' * 16000000 %}{% set x = 'x' * 9600 %}{% set y = x | tojson(a, a, none, a)"
            + " %}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% for i in range(100000) %}{% if range(100000) | sum %}{% endif %}{% endfor %}",
        "{{ range(100000) | map('string') | list | sort | unique | list }}",
        "{% set a = 'a' * 16000000 %}{{ (a + 'b').startswith([a + 'c'] * 1000) }}",
        "{{ ('a,' * 8000000).split(',') | length }}",
        "{{ ('a,' * 8000000).rsplit(',') | length }}",
        "{{ ('a ' * 8000000).split() | length }}",
        "{{ ('a\\n' * 8000000).splitlines() | length }}",
        "{{ ('a\\n' * 8000000) | indent }}",
        "{% for c in 'a' * 15000000 %}{% break %}{% endfor %}",
        "{{ ('a' * 15000000) | list | length }}",
        "{{ ('a' * 15000000) | sort | length }}",
        "{{ ('a' * 15000000) | batch(1) | length }}",
        "{{ ('a' * 15000000) | join('b') }}",
        "{% set r = range(100000) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}",
        "{% set m = dict(range(50000) | batch(2)) %}{% for i in range(50000) %}{% set x ="
            + " dict(**m) %}{% endfor %}",
        "{% set r = range(100000) %}{% macro m() %}{% set x = varargs %}{% endmacro %}{% for i in r"
            + " %}{% set x = m(*r) %}{% endfor %}",
        "{% set a = 'a' * 16000000 %}{% for i in range(100000) %}{% set x = {}[a] %}{% endfor %}",
        "{% set a = 'a' * 16000000 %}{% for i in range(100000) %}{% set x = a is lower %}{%"
            + " endfor %}",
        "{% set a = 'a' * 16000000 %}{% set b = a + 'b' %}{% for i in range(100000) %}{% set x ="
            + " (a + 'c') is sameas(b) %}{% endfor %}",
        "{{ [{}] | map(attribute='a.' * 8000000) | length }}",
        "{{ [{}, {}] | sort(attribute='a,' * 8000000) | length }}",
        "{{ ('&' * 16000000) | e }}",
        "{{ strftime_now('%c' * 501) }}",
        "{% set f = '%c' * 500 %}{% for i in range(50000) %}{% set x = strftime_now(f) %}{% endfor"
            + " %}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 2 ** 64 }}",
        "{{ 99999999999999999999 }}"
      })
  void timeAndMemory(String template) throws InterruptedException {
    String message = refusal(template).getMessage();
    assertTrue(
        message.contains("more than")
            || message.contains("longer than")
            || message.contains("64 bits")
            || message.contains("beyond"),
        message);
  }

  @Test
  void deepData() {
    List<Object> deep = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      deep = new ArrayList<>(List.of(deep));
    }
    List<Object> data = deep;
    assertThrows(
        TemplateException.class, () -> Template.parse("{{ x }}").render(Map.of("x", data)));
  }

  @Test
  void aMillionCharactersAreNoProblem() {
    String content = ("字" + " word\n".repeat(4)).repeat(50_000);
    String template =
        "{% for m in messages %}{{ '<s>' + m.content.strip().replace('word', 'w') | trim }}"
            + "{{ m.content.split('字') | length }}{% endfor %}";
    String expected = "<s>" + content.strip().replace("word", "w") + "50001";
    assertEquals(
        expected,
        Template.parse(template).render(Map.of("messages", List.of(Map.of("content", content)))));
  }
}
