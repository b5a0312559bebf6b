package io.minimind.infer.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.ArgumentException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[a-z]+",
        "^(?:yes|no|maybe)$",
        "\\d{4}-\\d\\d-\\d\\d( \\d{1,2}:\\d\\d)?",
        ".{3,}",
        "[^\\s\\d]{2,4}\\W\\S",
        "(蓝|😀|é){2,5}|[一-龥]{0,3}x",
        "\\x41\\u84DD[\\u0370-\\u03FF\\-\\]]+\\.",
        "(a?b*c+)*d{0,2}e{2,}",
        "\"[^\"\\\\]*\"\\n\\t?"
      })
  void allTextsMatch(String pattern) {
    TokenConstraint constraint = Structured.CONSTRAINTS.regex(pattern);
    Pattern judge = Pattern.compile(pattern);
    int least = Structured.least(constraint);
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 200; i++) {
      String text = Structured.draw(constraint, least + i / 4, random);
      assertTrue(judge.matcher(text).matches(), text);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"(?:a|(?=b))", "(?:(?=b)b)?", "(?:^a?)?", "(?:(?!a*b)a)?"})
  @Timeout(60)
  void waysThatDoubleAreNotAllTried(String part) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Structured.CONSTRAINTS.regex(part.repeat(40) + "[ab]*"));
    assertTrue(e.getMessage().contains("more than 1000 ways"), e.getMessage());
  }

  @Test
  void aPatternOfTooManyStatesIsAMistakeOfWhoeverGaveIt() {
    ArgumentException e =
        assertThrows(
            ArgumentException.class, () -> Structured.CONSTRAINTS.regex("(?=[ab]*a[ab]{20})[ab]*"));
    assertTrue(e.getMessage().contains("too many states"), e.getMessage());
  }

  @Property(tries = 300)
  void exactlyTheTextsThatJavaMatchesAreAccepted(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    String pattern = pattern(random, 3);
    TokenConstraint constraint = Structured.CONSTRAINTS.regex(pattern);
    Pattern judge = Pattern.compile(pattern);
    for (int i = 0; i < 40; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(6); length > 0; length--) {
        text.append("abé蓝".charAt(random.nextInt(4)));
      }
      assertEquals(
          judge.matcher(text).matches(),
          Structured.accepts(constraint, text.toString()),
          () -> "\"" + text + "\" and " + pattern);
    }
  }

  private static String pattern(SplittableRandom random, int depth) {
    switch (random.nextInt(depth == 0 ? 3 : 8)) {
      case 0:
        return String.valueOf("abé蓝".charAt(random.nextInt(4)));
      case 1:
        return List.of("[ab]", "[^a]", "[a-é]", "[^é-蓝]", ".", "\\w", "\\W").get(random.nextInt(7));
      case 2:
        return "";
      case 3, 4:
        return pattern(random, depth - 1) + pattern(random, depth - 1);
      case 5:
        return "(" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + ")";
      default:
        String quantifier =
            List.of("*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}").get(random.nextInt(7));
        return "(?:" + pattern(random, depth - 1) + ")" + quantifier;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a++ ; 2 ; a possessive or repeated quantifier",
        "a*?{2} ; 3 ; a possessive or repeated quantifier",
        "*a ; 0 ; a quantifier with nothing to repeat",
        "a{3,1} ; 6 ; a quantifier that is not {m}, {m,} or {m,n}",
        "a{9999999} ; 9 ; a quantifier without a number from 0 to 1000000",
        "(a ; 2 ; a group without an end",
        "a) ; 1 ; a ) that closes nothing",
        "[a ; 2 ; a class without an end",
        "[z-a] ; 4 ; a range in a class",
        "[a&&b] ; 2 ; a leading ] or && in a class",
        "\\bword ; 0 ; \\b",
        "\\1 ; 0 ; \\1",
        "\\p{Greek} ; 2 ; a \\p without one of",
        "(?=a)* ; 5 ; a quantifier with nothing to repeat",
        "(a(?=b))* ; 9 ; a repeated group with ^, $ or a look-ahead in it",
        "\\u12 ; 4 ; an escape that lacks some of its 4 hexadecimal digits",
        "a\\ ; 2 ; a backslash with nothing behind it",
      })
  void whatIsNotSupportedIsNamedWithItsPlace(String line) {
    String[] parts = line.split(" ; ");
    String message =
        assertThrows(IllegalArgumentException.class, () -> Structured.CONSTRAINTS.regex(parts[0]))
            .getMessage();
    String expected =
        "The pattern \"%s\" has, at position %s, %s".formatted(parts[0], parts[1], parts[2]);
    assertTrue(message.startsWith(expected), message);
  }

  @Test
  void choicesComeOutAsTheyAre() {
    List<String> choices = List.of("yes", "no", "not at all", "蓝色", "", "no one");
    TokenConstraint constraint = Structured.CONSTRAINTS.choices(choices);
    SplittableRandom random = new SplittableRandom(4);
    Set<String> drawn = new HashSet<>();
    for (int i = 0; i < 500; i++) {
      drawn.add(Structured.draw(constraint, 20, random));
    }
    assertEquals(Set.copyOf(choices), drawn);
    assertThrows(IllegalArgumentException.class, () -> Structured.CONSTRAINTS.choices(List.of()));
  }

  @Test
  void specialTokensAreNeverAllowed() {
    TokenConstraint constraint = Structured.CONSTRAINTS.regex("[^\u0000]*");
    java.util.BitSet allowed = new java.util.BitSet();
    constraint.start(9).allow(allowed);
    Structured.TOKENIZER
        .specialTokens()
        .forEach((token, id) -> assertTrue(!allowed.get(id), token));
    assertTrue(allowed.cardinality() > 200, () -> "only " + allowed.cardinality());
  }

  @Test
  void aTokenThatDoesNotFitIsNamed() {
    TokenConstraint.State state = Structured.CONSTRAINTS.choices("yes").start(9);
    int other = Structured.TOKENIZER.tokenId("!").orElseThrow();
    assertEquals(
        "The token " + other + " does not fit the constraint; force only tokens that it allows.",
        assertThrows(IllegalArgumentException.class, () -> state.advance(other)).getMessage());
  }
}
