package io.minimind.tokenizer;

import io.minimind.tokenizer.SentencePieceModel.Normalizer;
import io.minimind.tokenizer.SentencePieceModel.Piece;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Normalizes text as SentencePiece does, and keeps where each byte comes from. SentencePiece's own
 * library normalizes by itself when it encodes; what it does not tell is the places.
 */
final class SentencePieceNormalizer {

  private static final byte[] ESCAPED_SPACE = "\u2581".getBytes(StandardCharsets.UTF_8);
  private static final byte[] REPLACEMENT = "\uFFFD".getBytes(StandardCharsets.UTF_8);
  private static final byte[] SPACE = {' '};

  private final Normalizer options;
  private final boolean whitespaceIsSuffix;

  /** What is never normalized, by its first byte, longest first. */
  private final List<List<byte[]>> userDefined;

  SentencePieceNormalizer(SentencePieceModel model) {
    options = model.normalizer();
    whitespaceIsSuffix = model.whitespaceIsSuffix();
    userDefined = new ArrayList<>();
    for (int first = 0; first <= 0xFF; first++) {
      userDefined.add(new ArrayList<>());
    }
    for (Piece piece : model.pieces()) {
      if (piece.kind() == SentencePieceModel.Kind.USER_DEFINED) {
        byte[] bytes = piece.text().getBytes(StandardCharsets.UTF_8);
        userDefined.get(bytes[0] & 0xFF).add(bytes);
      }
    }
    userDefined.forEach(
        symbols -> symbols.sort(Comparator.comparing((byte[] symbol) -> -symbol.length)));
  }

  /** A normalized text in UTF-8, and by byte where in the original text its source begins, ends. */
  record Normalized(byte[] bytes, int[] starts, int[] ends) {}

  /** Normalizes a part of a text, which must be well-formed UTF-16. */
  Normalized normalize(char[] text, int start, int end) {
    return new Run(text, start, end).normalize();
  }

  /** One text in progress. */
  private final class Run {

    private final byte[] input;

    /** By byte of the input, and for its end: the place of its character in the text. */
    private final int[] places;

    private byte[] output;
    private int[] starts;
    private int[] ends;
    private int size;

    // What the last call of next() found: bytes to append, and where it stopped in the input.
    private byte[] found;
    private int foundFrom;
    private int foundTo;
    private int next;

    Run(char[] text, int start, int end) {
      input = new String(text, start, end - start).getBytes(StandardCharsets.UTF_8);
      places = new int[input.length + 1];
      int at = 0;
      for (int i = start; i < end; ) {
        int codePoint = Character.codePointAt(text, i, end);
        int length = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        Arrays.fill(places, at, at + length, i);
        at += length;
        i += Character.charCount(codePoint);
      }
      places[at] = end;
      output = new byte[input.length + 16];
      starts = new int[output.length];
      ends = new int[output.length];
    }

    Normalized normalize() {
      int at = 0;
      if (options.removeExtraWhitespaces()) {
        while (at < input.length && findsSpace(at)) {
          at = next;
        }
      }
      if (at < input.length) {
        if (options.addDummyPrefix() && !whitespaceIsSuffix) {
          append(' ', at, at);
        }
        boolean afterSpace = options.removeExtraWhitespaces();
        while (at < input.length) {
          find(at);
          while (afterSpace && foundFrom < foundTo && found[foundFrom] == ' ') {
            foundFrom++;
          }
          for (int i = foundFrom; i < foundTo; i++) {
            append(found[i], at, next);
          }
          if (foundFrom < foundTo) {
            afterSpace = options.removeExtraWhitespaces() && found[foundTo - 1] == ' ';
          }
          at = next;
        }
        if (options.removeExtraWhitespaces()) {
          removeSpacesAtEnd();
        }
        if (options.addDummyPrefix() && whitespaceIsSuffix) {
          append(' ', at, at);
        }
      }
      return new Normalized(Arrays.copyOf(output, size), starts, ends);
    }

    private boolean findsSpace(int at) {
      find(at);
      return foundTo - foundFrom == 1 && found[foundFrom] == ' ';
    }

    /** Finds what stands for the next characters of the input. */
    private void find(int at) {
      for (byte[] symbol : userDefined.get(input[at] & 0xFF)) {
        if (startsWith(symbol, at)) {
          setFound(input, at, at + symbol.length, at + symbol.length);
          return;
        }
      }
      long rule = options.rules().longestRule(input, at, input.length);
      if (rule != 0) {
        byte[] replacements = options.rules().toBytes();
        int from = (int) rule;
        int to = from;
        while (replacements[to] != 0) {
          to++;
        }
        setFound(replacements, from, to, at + (int) (rule >>> 32));
        return;
      }
      if (isContinuation(input[at])) {
        // A rule took only a part of the character.
        setFound(REPLACEMENT, 0, REPLACEMENT.length, at + 1);
        return;
      }
      int to = at + 1;
      while (to < input.length && isContinuation(input[to])) {
        to++;
      }
      setFound(input, at, to, to);
    }

    private static boolean isContinuation(byte value) {
      return (value & 0xC0) == 0x80;
    }

    private boolean startsWith(byte[] symbol, int at) {
      int to = at + symbol.length;
      return to <= input.length && Arrays.equals(input, at, to, symbol, 0, symbol.length);
    }

    private void setFound(byte[] bytes, int from, int to, int nextAt) {
      found = bytes;
      foundFrom = from;
      foundTo = to;
      next = nextAt;
    }

    private void append(int value, int from, int to) {
      if (value == ' ') {
        for (byte b : space()) {
          appendByte(b, from, to);
        }
      } else {
        appendByte((byte) value, from, to);
      }
    }

    private void appendByte(byte value, int from, int to) {
      if (size == output.length) {
        output = Arrays.copyOf(output, 2 * size);
        starts = Arrays.copyOf(starts, 2 * size);
        ends = Arrays.copyOf(ends, 2 * size);
      }
      output[size] = value;
      starts[size] = places[from];
      ends[size++] = places[to];
    }

    private void removeSpacesAtEnd() {
      int length = space().length;
      while (size >= length && Arrays.equals(output, size - length, size, space(), 0, length)) {
        size -= length;
      }
    }

    private byte[] space() {
      return options.escapeWhitespaces() ? ESCAPED_SPACE : SPACE;
    }
  }
}
