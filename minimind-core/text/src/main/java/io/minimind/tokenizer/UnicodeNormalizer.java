package io.minimind.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Unicode normalization that keeps track of where each character comes from. It is that of Unicode
 * 9, the version of the reference tokenizers: characters of later versions stay as they are. How a
 * character decomposes never changes from one version to the next, so Java's tables serve for the
 * others.
 */
final class UnicodeNormalizer implements TextNormalizer {

  private static final String RESOURCE = "unicode-normalization.txt";

  private record Part(int codePoint, int change, int combiningClass) {}

  /** Built when the first normalizer is. */
  private static final class Tables {
    static final BitSet UNASSIGNED = new BitSet();
    static final byte[] COMBINING_CLASSES = new byte[0x20000];

    /** Characters that may compose with the one before them. */
    static final BitSet SECONDS = new BitSet();

    static {
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(
                  UnicodeNormalizer.class.getResourceAsStream(RESOURCE),
                  StandardCharsets.US_ASCII))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith("#")) {
            continue;
          }
          String[] range = line.split(" ");
          int first = Integer.parseInt(range[1], 16);
          int behind = Integer.parseInt(range[2], 16) + 1;
          if (range[0].equals("U")) {
            UNASSIGNED.set(first, behind);
          } else {
            Arrays.fill(COMBINING_CLASSES, first, behind, (byte) Integer.parseInt(range[0]));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      for (int c = 0xC0; c < COMBINING_CLASSES.length; c++) {
        if (!Character.isSurrogate((char) c) || c > Character.MAX_VALUE) {
          String parts = Normalizer.normalize(Character.toString(c), Normalizer.Form.NFD);
          if (parts.codePointCount(0, parts.length()) > 1) {
            SECONDS.set(parts.codePointBefore(parts.length()));
          }
        }
      }
      SECONDS.set(0x1161, 0x1176);
    }
  }

  private final Normalizer.Form decomposition;
  private final boolean composes;

  /** Characters that stay as they are whatever is beside them, up to U+FFFF. */
  private final BitSet inert = new BitSet();

  private UnicodeNormalizer(Normalizer.Form form) {
    composes = form == Normalizer.Form.NFC || form == Normalizer.Form.NFKC;
    boolean canonical = form == Normalizer.Form.NFC || form == Normalizer.Form.NFD;
    decomposition = canonical ? Normalizer.Form.NFD : Normalizer.Form.NFKD;
    for (char c = 0; c < Character.MAX_VALUE; c++) {
      if (!Character.isSurrogate(c)
          && combiningClass(c) == 0
          && !Tables.SECONDS.get(c)
          && (Tables.UNASSIGNED.get(c) || Normalizer.isNormalized(String.valueOf(c), form))) {
        inert.set(c);
      }
    }
  }

  static UnicodeNormalizer of(Normalizer.Form form) {
    return new UnicodeNormalizer(form);
  }

  @Override
  public AlignedText normalize(AlignedText text, int start, int end) {
    int at = start;
    while (at < end && inert.get(text.chars()[at])) {
      at++;
    }
    return at == end ? text : normalizeAll(text, start, end);
  }

  private AlignedText normalizeAll(AlignedText text, int start, int end) {
    List<Part> parts = decomposed(text.chars(), start, end);
    if (composes) {
      parts = composed(parts);
    }
    int length = 0;
    for (Part part : parts) {
      length += Character.charCount(part.codePoint);
    }
    AlignedText normalized = new AlignedText(new char[length], new int[length], new int[length]);
    int to = 0;
    int next = start; // The character of the text from which the next part comes.
    int current = start;
    for (Part part : parts) {
      if (part.change <= 0) {
        current = next;
        next = text.offsetByCodePoints(next, 1 - part.change);
      }
      // What a change put in comes from the last character before the next one.
      int from = part.change <= 0 || next == start ? current : text.offsetByCodePoints(next, -1);
      for (int i = 0; i < Character.charCount(part.codePoint); i++) {
        normalized.starts()[to + i] = text.originalStart(from);
        normalized.ends()[to + i] = text.originalEnd(from);
      }
      to += Character.toChars(part.codePoint, normalized.chars(), to);
    }
    return normalized;
  }

  /** Characters decomposed and in canonical order. The first part of each has the change 0. */
  private List<Part> decomposed(char[] chars, int start, int end) {
    List<Part> parts = new ArrayList<>(end - start + 8);
    int marks = 0; // Where the marks begin that are behind the last starter.
    for (int at = start; at < end; ) {
      int codePoint = Character.codePointAt(chars, at, end);
      at += Character.charCount(codePoint);
      if (Tables.UNASSIGNED.get(codePoint) || codePoint < 0x80) {
        sortMarks(parts, marks);
        parts.add(new Part(codePoint, 0, 0));
        marks = parts.size();
        continue;
      }
      String all = Normalizer.normalize(Character.toString(codePoint), decomposition);
      for (int i = 0; i < all.length(); i = all.offsetByCodePoints(i, 1)) {
        int part = all.codePointAt(i);
        int combiningClass = combiningClass(part);
        if (combiningClass == 0) {
          sortMarks(parts, marks);
          marks = parts.size() + 1;
        }
        parts.add(new Part(part, i == 0 ? 0 : 1, combiningClass));
      }
    }
    sortMarks(parts, marks);
    return parts;
  }

  /** Orders marks by their class; those of one class stay in their order. */
  private static void sortMarks(List<Part> parts, int first) {
    if (parts.size() > first + 1) {
      parts.subList(first, parts.size()).sort(Comparator.comparingInt(Part::combiningClass));
    }
  }

  /** Parts composed; the change of one is the number of parts that it takes in, negated. */
  private static List<Part> composed(List<Part> parts) {
    List<Part> composed = new ArrayList<>(parts.size());
    int starter = -1;
    int lastClass = -1;
    for (Part part : parts) {
      // A part that follows a mark of its own class or a higher one is blocked from the starter.
      if (starter >= 0 && lastClass < part.combiningClass) {
        Part before = composed.get(starter);
        int both = compose(before.codePoint, part.codePoint);
        if (both >= 0) {
          composed.set(starter, new Part(both, before.change + part.change - 1, 0));
          continue;
        }
      }
      composed.add(part);
      if (part.combiningClass == 0) {
        starter = composed.size() - 1;
        lastClass = -1;
      } else {
        lastClass = part.combiningClass;
      }
    }
    return composed;
  }

  private static int compose(int first, int second) {
    if (!Tables.SECONDS.get(second)
        || Tables.UNASSIGNED.get(first)
        || Tables.UNASSIGNED.get(second)) {
      return -1;
    }
    String both =
        Normalizer.normalize(
            Character.toString(first) + Character.toString(second), Normalizer.Form.NFC);
    int composed = both.codePointAt(0);
    boolean one = Character.charCount(composed) == both.length();
    return one && !Tables.UNASSIGNED.get(composed) ? composed : -1;
  }

  private static int combiningClass(int codePoint) {
    return codePoint < Tables.COMBINING_CLASSES.length
        ? Tables.COMBINING_CLASSES[codePoint] & 0xFF
        : 0;
  }
}
