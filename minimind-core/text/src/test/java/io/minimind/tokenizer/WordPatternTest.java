package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class WordPatternTest {

  /** The published pattern, with whitespace by its property because Java's \s is ASCII only. */
  private static final Pattern GPT2 =
      compiled(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

  private static final String GPT4 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}DIGITS"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  @Property
  void theScannersCutWhereTheRegularExpressionsCut(@ForAll("texts") String text) {
    assertEquals(words(GPT2, text), words(WordPattern.gpt2(), text));
    for (String digits : List.of("", "{1,3}", "+")) {
      String regex = GPT4.replace("DIGITS", digits);
      WordPattern pattern = WordPattern.ofRegex(regex).orElseThrow();
      assertEquals(words(compiled(regex), text), words(pattern, text));
    }
  }

  @Test
  void anUnknownRegularExpressionHasNoScanner() {
    for (String regex :
        List.of(
            "\\bx", "x*?", "(ab)+", "^x", "(?<=x)y", "x{1,2}+", "x*", "\\w+", "[a&&b]", "[", "")) {
      assertEquals(Optional.empty(), WordPattern.ofRegex(regex), regex);
    }
  }

  private static Pattern compiled(String regex) {
    return Pattern.compile(
        regex.replace("\\s", "\\p{IsWhite_Space}").replace("\\S", "\\P{IsWhite_Space}"));
  }

  private static List<String> words(Pattern pattern, String text) {
    List<String> words = new ArrayList<>();
    for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
      words.add(matcher.group());
    }
    return words;
  }

  @Test
  void withoutAPatternTheTextIsOneWord() {
    assertEquals(List.of("one word's all 1!"), words(WordPattern.none(), "one word's all 1!"));
  }

  @Test
  void classesAgreeWithThisJavaWhereItKnowsTheCharacter() {
    int letters = 0;
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      int type = Character.getType(c);
      byte kind = CharacterClass.of(c);
      String character = Integer.toHexString(c);
      if (kind == CharacterClass.LETTER) {
        assertTrue(Character.isLetter(c) || type == Character.UNASSIGNED, character);
        letters++;
      } else if (kind == CharacterClass.NUMBER) {
        assertTrue(
            type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER
                || type == Character.UNASSIGNED,
            character);
      } else if (kind == CharacterClass.SPACE) {
        assertTrue(Character.isSpaceChar(c) || Character.isWhitespace(c) || c == 0x85, character);
      }
    }
    assertTrue(letters > 100_000);
  }

  @Test
  void lettersThatJava17DoesNotKnowAreLetters() {
    // Garay, of Unicode 16, and a CJK extension of Unicode 15.
    assertEquals(CharacterClass.LETTER, CharacterClass.of(0x10D50));
    assertEquals(CharacterClass.NUMBER, CharacterClass.of(0x10D41));
    assertEquals(CharacterClass.LETTER, CharacterClass.of(0x31350));
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of(
            "'", "s", "t", "r", "e", "v", "l", "m", "d", "S", "R", "E", "\r", "中", "é", "𝒳", "1",
            "Ⅷ", "½", "𝟙", "!", "。", "\u0301", "😀", " ", " ", "\n", "\t", "\u00A0", "\u3000",
            "\u0085", "\u001C", "\u200B")
        .list()
        .ofMaxSize(25)
        .map(parts -> String.join("", parts));
  }

  private static List<String> words(WordPattern pattern, String text) {
    List<String> words = new ArrayList<>();
    char[] characters = text.toCharArray();
    for (int at = 0; at < characters.length; ) {
      int end = pattern.wordEnd(characters, at, characters.length);
      words.add(text.substring(at, end));
      at = end;
    }
    return words;
  }
}
