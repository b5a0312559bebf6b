package io.minimind.examples;

import java.util.regex.Pattern;

/** A word of a command line as a shell reads it. */
final class ShellWord {

  private static final Pattern PLAIN = Pattern.compile("[\\p{IsAlphabetic}\\d@%+=:,./_-]+");

  private ShellWord() {}

  /** The word itself, or in quotes where the shell would see more in it than letters. */
  static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
