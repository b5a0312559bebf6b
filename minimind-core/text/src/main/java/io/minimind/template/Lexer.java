package io.minimind.template;

import io.minimind.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into text and the tokens of its tags, and drops the white space that tags take
 * with them: a tag that is no output takes the blanks before it on its line and the line end after
 * it, a minus sign all white space of its side, and a plus sign nothing.
 */
final class Lexer {

  private static final Pattern RAW_START =
      Pattern.compile("\\{%([-+]?)\\s*+raw\\s*+(?:(-)%}|%})", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern RAW_END =
      Pattern.compile("\\{%([-+]?)\\s*+endraw\\s*+([-+]?)%}", Pattern.UNICODE_CHARACTER_CLASS);
  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",");

  private final Source source;
  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  /** Whether what was read last ended a line, or nothing was read. */
  private boolean atLineStart = true;

  private Lexer(Source source) {
    this.source = source;
    this.text = source.text();
  }

  static List<Token> tokens(Source source) {
    Lexer lexer = new Lexer(source);
    while (lexer.at < lexer.text.length()) {
      lexer.readTextAndTag();
    }
    lexer.add(Kind.END, "", lexer.at);
    return lexer.tokens;
  }

  private void readTextAndTag() {
    int open = nextTag();
    if (open < 0) {
      add(Kind.TEXT, text.substring(at), at);
      at = text.length();
      return;
    }
    Matcher raw = RAW_START.matcher(text).region(open, text.length());
    if (raw.lookingAt()) {
      addText(at, open, sign(open + 2), true);
      at = raw.end();
      finishTag(raw.group(2) == null ? '+' : '-');
      readRaw(open);
      return;
    }
    char kind = text.charAt(open + 1);
    char sign = sign(open + 2);
    addText(at, open, sign, kind != '{');
    at = open + (sign == 0 ? 2 : 3);
    if (kind == '#') {
      skipComment(open);
    } else {
      add(kind == '{' ? Kind.PRINT_START : Kind.TAG_START, "", open);
      readTag(open, kind == '{');
    }
  }

  private int nextTag() {
    for (int i = text.indexOf('{', at);
        i >= 0 && i + 1 < text.length();
        i = text.indexOf('{', i + 1)) {
      if ("{%#".indexOf(text.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private char sign(int offset) {
    char c = offset < text.length() ? text.charAt(offset) : 0;
    return c == '-' || c == '+' ? c : 0;
  }

  private void addText(int start, int end, char sign, boolean takesBlanks) {
    int stop = end;
    if (sign == '-') {
      while (stop > start && Text.isSpace(text.charAt(stop - 1))) {
        stop--;
      }
    } else if (sign != '+' && takesBlanks) {
      int blanks = end;
      while (blanks > start
          && text.charAt(blanks - 1) != '\n'
          && Text.isSpace(text.charAt(blanks - 1))) {
        blanks--;
      }
      boolean startsLine = blanks > start ? text.charAt(blanks - 1) == '\n' : atLineStart;
      stop = startsLine ? blanks : end;
    }
    if (stop > start) {
      add(Kind.TEXT, text.substring(start, stop), start);
    }
  }

  private void readRaw(int open) {
    Matcher end = RAW_END.matcher(text);
    if (!end.find(at)) {
      throw source.error(open, "the raw block has no {% endraw %}");
    }
    addText(at, end.start(), sign(end.start() + 2), true);
    at = end.end();
    finishTag(end.group(2).isEmpty() ? 0 : end.group(2).charAt(0));
  }

  private void skipComment(int open) {
    int end = text.indexOf("#}", at);
    if (end < 0) {
      throw source.error(open, "the comment has no end; expected \"#}\"");
    }
    char sign = end > at ? sign(end - 1) : 0;
    at = end + 2;
    finishTag(sign);
  }

  /** Takes the white space after a tag whose end has the sign, or 0 for none. */
  private void finishTag(char sign) {
    if (sign == '-') {
      while (at < text.length() && Text.isSpace(text.charAt(at))) {
        at++;
      }
    } else if (sign == 0 && at < text.length() && text.charAt(at) == '\n') {
      at++;
    }
    atLineStart = text.charAt(at - 1) == '\n';
  }

  private void readTag(int open, boolean prints) {
    String end = prints ? "}}" : "%}";
    Deque<Character> brackets = new ArrayDeque<>();
    while (true) {
      while (at < text.length() && Text.isSpace(text.charAt(at))) {
        at++;
      }
      if (at == text.length()) {
        throw source.error(open, "the tag has no end; expected \"" + end + "\"");
      }
      if (brackets.isEmpty()) {
        char sign = sign(at);
        boolean signed = sign == '-' || sign == '+' && !prints;
        if (text.startsWith(end, signed ? at + 1 : at)) {
          add(prints ? Kind.PRINT_END : Kind.TAG_END, "", at);
          at += signed ? 3 : 2;
          // What follows an output keeps its line end.
          finishTag(prints && !signed ? '+' : signed ? sign : 0);
          return;
        }
      }
      readToken(brackets);
    }
  }

  private void readToken(Deque<Character> brackets) {
    int start = at;
    char c = text.charAt(at);
    if (isDigit(c)) {
      readNumber();
    } else if (Character.isUnicodeIdentifierStart(text.codePointAt(at)) || c == '_') {
      while (at < text.length()
          && (Character.isUnicodeIdentifierPart(text.codePointAt(at)) || text.charAt(at) == '_')) {
        at += Character.charCount(text.codePointAt(at));
      }
      add(Kind.NAME, text.substring(start, at), start);
    } else if (c == '"' || c == '\'') {
      readString();
    } else {
      readOperator(brackets);
    }
  }

  private void readOperator(Deque<Character> brackets) {
    int start = at;
    String operator =
        OPERATORS.stream()
            .filter(one -> text.startsWith(one, start))
            .findFirst()
            .orElseThrow(
                () ->
                    source.error(
                        start,
                        "unexpected character \""
                            + Character.toString(text.codePointAt(start))
                            + "\""));
    char c = operator.charAt(0);
    if ("([{".indexOf(c) >= 0) {
      brackets.push(")]}".charAt("([{".indexOf(c)));
    } else if (")]}".indexOf(c) >= 0 && (brackets.isEmpty() || brackets.pop() != c)) {
      throw source.error(start, "unexpected \"" + c + "\"");
    }
    at += operator.length();
    add(Kind.OPERATOR, operator, start);
  }

  private void readNumber() {
    int start = at;
    boolean afterDot = start > 0 && text.charAt(start - 1) == '.';
    if (text.charAt(at) == '0'
        && at + 1 < text.length()
        && "xXoObB".indexOf(text.charAt(at + 1)) >= 0) {
      at += 2;
      while (at < text.length()
          && (Character.digit(text.charAt(at), 16) >= 0 || text.charAt(at) == '_')) {
        at++;
      }
      add(Kind.INTEGER, text.substring(start, at), start);
      return;
    }
    skipDigits();
    Kind kind = Kind.INTEGER;
    // In a.0.1 the dots are those of attributes.
    if (!afterDot && isAt('.') && isDigit(at + 1)) {
      at++;
      skipDigits();
      kind = Kind.FLOAT;
    }
    if (!afterDot && (isAt('e') || isAt('E'))) {
      int exponent = sign(at + 1) == 0 ? at + 1 : at + 2;
      if (isDigit(exponent)) {
        at = exponent;
        skipDigits();
        kind = Kind.FLOAT;
      }
    }
    add(kind, text.substring(start, at), start);
  }

  private void skipDigits() {
    while (isDigit(at) || isAt('_') && isDigit(at + 1)) {
      at++;
    }
  }

  private boolean isAt(char c) {
    return at < text.length() && text.charAt(at) == c;
  }

  private boolean isDigit(int offset) {
    return offset < text.length() && isDigit(text.charAt(offset));
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private void readString() {
    int start = at;
    char quote = text.charAt(at++);
    while (at < text.length() && text.charAt(at) != quote) {
      at += text.charAt(at) == '\\' ? 2 : 1;
    }
    if (at >= text.length()) {
      throw source.error(start, "the string has no end; expected a second " + quote);
    }
    at++;
    try {
      add(Kind.STRING, StringEscapes.resolve(text.substring(start + 1, at - 1)), start);
    } catch (Failure e) {
      throw source.error(start, e.getMessage());
    }
  }

  private void add(Kind kind, String value, int offset) {
    tokens.add(new Token(kind, value, offset));
  }
}
