package io.minimind.policy;

import io.minimind.agent.PythonText;
import java.lang.Character.UnicodeScript;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** How much of a text repeats itself: the share of its runs of three words that came before. */
enum Repetition {
  /** A run of letters is a word, so that Chinese without punctuation is one. */
  OF_WORDS,
  /** A character of a script that is written without spaces is a word of its own. */
  OF_WORDS_AND_CHARACTERS;

  private static final int RUN = 3;
  private static final double MOST = 0.5;

  /** In [0, 0.5]. */
  double of(String text) {
    List<String> words = words(text.toLowerCase(Locale.ROOT));
    int runs = words.size() - RUN + 1;
    if (runs <= 0) {
      return 0;
    }
    Set<List<String>> distinct = new HashSet<>();
    for (int i = 0; i < runs; i++) {
      distinct.add(words.subList(i, i + RUN));
    }
    return Math.min(MOST, (double) (runs - distinct.size()) / runs);
  }

  /** Words, and all other characters but white space. */
  private List<String> words(String text) {
    List<String> words = new ArrayList<>();
    int start = -1;
    for (int i = 0; i < text.length(); ) {
      int character = text.codePointAt(i);
      int next = i + Character.charCount(character);
      boolean joins = PythonText.isWord(character) && !standsAlone(character);
      if (!joins && start >= 0) {
        words.add(text.substring(start, i));
        start = -1;
      }
      if (joins && start < 0) {
        start = i;
      } else if (!joins && !PythonText.isSpace(character)) {
        words.add(text.substring(i, next));
      }
      i = next;
    }
    if (start >= 0) {
      words.add(text.substring(start));
    }
    return words;
  }

  private boolean standsAlone(int character) {
    return this == OF_WORDS_AND_CHARACTERS
        && switch (UnicodeScript.of(character)) {
          case HAN, HIRAGANA, KATAKANA, BOPOMOFO, THAI, LAO, KHMER, MYANMAR, TIBETAN -> true;
          default -> false;
        };
  }
}
