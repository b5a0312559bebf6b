package io.minimind.template;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A Jinja template, of the kind that comes with chat models. Immutable, and safe for use by several
 * threads.
 *
 * <p>It renders as jinja2 does with the settings of transformers: tags take their line with them
 * ({@code trim_blocks}, {@code lstrip_blocks}), {@code break}, {@code continue} and {@code
 * generation} are tags, {@code raise_exception}, {@code strftime_now} and {@code tojson} are there,
 * nothing can be changed but namespaces. Values are printed as Python does: {@code True}, {@code
 * ['a', None]}. It allows what Hugging Face's JavaScript engine does besides: filters give lists
 * and not iterators; a number can be added to a string; {@code 1} is not in {@code [true]}.
 * Integers have 64 bits. Templates that load other templates are refused.
 *
 * <p>What the variables hold is only ever a value: braces inside of it mean nothing. The limits
 * below bound the time and memory of any template on any data; who reaches one gets a {@link
 * TemplateException}.
 */
public final class Template {

  /** The longest text, the rendered one or one on the way, in characters. */
  public static final int MAX_LENGTH = 1 << 24;

  /** The longest list or range that a template makes. */
  public static final int MAX_ITEMS = 100_000;

  /**
   * The number of steps of a rendering: nodes that are evaluated, elements that are looked at,
   * sixteenths of the texts that are made or searched.
   */
  public static final long MAX_STEPS = 20_000_000;

  /** How deep tags and expressions may stand inside each other. */
  public static final int MAX_NESTING = 150;

  /** How deep evaluation may nest, macros that call themselves included, and data. */
  public static final int MAX_DEPTH = 300;

  private final Source source;
  private final List<Statement> statements;
  private final boolean marksGeneration;

  private Template(Source source) {
    StatementParser parser = new StatementParser(source);
    this.source = source;
    this.statements = parser.parse();
    this.marksGeneration = parser.marksGeneration();
  }

  /**
   * @throws TemplateException if the source is malformed
   */
  public static Template parse(String source) {
    return parse(source, "Template");
  }

  /**
   * @param name what messages call the template, such as its file
   * @throws TemplateException if the source is malformed
   */
  public static Template parse(String source, String name) {
    return new Template(Source.of(name, source));
  }

  /**
   * @param variables strings, numbers, booleans, enums, lists and other collections, arrays, maps,
   *     {@code Optional}, null
   * @throws TemplateException if the template fails on them, or reaches a limit
   */
  public String render(Map<String, ?> variables) {
    return render(variables, Clock.systemDefaultZone());
  }

  /**
   * @param clock what {@code strftime_now} reads
   * @throws TemplateException if the template fails on the variables, or reaches a limit
   */
  public String render(Map<String, ?> variables, Clock clock) {
    return render(variables, clock, false).text();
  }

  /**
   * As {@link #render(Map)}, and what of the text stands in generation blocks.
   *
   * @throws TemplateException also if such a block stands inside of a macro, call, set or filter
   *     block, where its place in the text is unknown
   */
  public MarkedText renderMarked(Map<String, ?> variables) {
    return render(variables, Clock.systemDefaultZone(), true);
  }

  /** Whether the template has {@code {% generation %}} blocks. */
  public boolean marksGeneration() {
    return marksGeneration;
  }

  private MarkedText render(Map<String, ?> variables, Clock clock, boolean marks) {
    Budget budget = new Budget();
    Scope scope = new Scope(Globals.scope(clock, budget));
    try {
      variables.forEach((name, value) -> scope.put(name, Values.of(value, budget)));
    } catch (Failure e) {
      throw source.error(0, e.getMessage());
    }
    return new Renderer(source, budget, marks).render(statements, scope);
  }
}
