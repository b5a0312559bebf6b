package io.minimind.infer.constraint;

/**
 * A set of texts that is named by a pattern or a format. Dialects of patterns and validators of
 * formats disagree about some texts.
 */
final class Language {
  private final String name;
  private final Expression certain;
  private final Expression possible;

  /**
   * @param name for messages
   * @param certain the texts of which all say that they belong to it
   * @param possible the texts of which some may say so
   */
  Language(String name, Expression certain, Expression possible) {
    this.name = name;
    this.certain = certain;
    this.possible = possible;
  }

  /** Just these texts. */
  static Language of(String name, Expression exactly) {
    return new Language(name, exactly, exactly);
  }

  Expression certain() {
    return certain;
  }

  Expression possible() {
    return possible;
  }

  boolean contains(String text) {
    return Derivatives.matches(certain, text);
  }

  /** Whether it certainly does not belong to it. */
  boolean excludes(String text) {
    return !Derivatives.matches(possible, text);
  }

  @Override
  public String toString() {
    return name;
  }
}
