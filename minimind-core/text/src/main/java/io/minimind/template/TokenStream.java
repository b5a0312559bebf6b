package io.minimind.template;

import io.minimind.template.Token.Kind;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The tokens of a template as its parsers take them, one after the other. */
final class TokenStream {

  private final Source source;
  private final List<Token> tokens;
  private int at;
  private int depth;

  /** Names that were read since the start of the innermost macro, for who wants to know. */
  private Set<String> names = new HashSet<>();

  TokenStream(Source source) {
    this.source = source;
    this.tokens = Lexer.tokens(source);
  }

  Token current() {
    return tokens.get(at);
  }

  Token next() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token take() {
    Token token = current();
    if (token.kind() != Kind.END) {
      at++;
    }
    return token;
  }

  int offset() {
    return current().offset();
  }

  boolean isAt(Kind kind) {
    return current().kind() == kind;
  }

  boolean isAtName(String name) {
    return current().is(Kind.NAME, name);
  }

  boolean isAtOperator(String operator) {
    return current().is(Kind.OPERATOR, operator);
  }

  boolean skipName(String name) {
    return isAtName(name) && take() != null;
  }

  boolean skipOperator(String operator) {
    return isAtOperator(operator) && take() != null;
  }

  Token expect(Kind kind, String what) {
    if (!isAt(kind)) {
      throw unexpected(what);
    }
    return take();
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("\"" + operator + "\"");
    }
  }

  String expectName(String what) {
    return expect(Kind.NAME, what).text();
  }

  TemplateException unexpected(String expected) {
    return error(offset(), "expected " + expected + ", found " + current());
  }

  TemplateException error(int offset, String problem) {
    return source.error(offset, problem);
  }

  /** Counts one level of nesting more; each call is followed by one of {@link #leave}. */
  void enter() {
    if (++depth > Template.MAX_NESTING) {
      throw error(
          offset(), "the template is nested more than " + Template.MAX_NESTING + " levels deep");
    }
  }

  void leave() {
    depth--;
  }

  void noteName(String name) {
    names.add(name);
  }

  Set<String> swapNames(Set<String> others) {
    Set<String> noted = names;
    names = others;
    return noted;
  }
}
