package io.minimind.infer;

import java.util.List;

/**
 * Ends a text before the first stop string that becomes complete in it, however the text is cut
 * into pieces. What may be the beginning of one is held back.
 */
final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopStrings(List<String> stops) {
    this.stops = stops;
  }

  boolean found() {
    return found;
  }

  /** Takes the next piece and gives what certainly belongs to the text. */
  String next(String piece) {
    if (stops.isEmpty() || found) {
      return found ? "" : piece;
    }
    held.append(piece);
    int start = held.length();
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (at + stop.length() < end || at + stop.length() == end && at < start)) {
        start = at;
        end = at + stop.length();
      }
    }
    found = end != Integer.MAX_VALUE;
    return release(found ? start : held.length() - longestBeginning());
  }

  /** Ends the text: what was held back belongs to it, unless a stop string was found. */
  String finish() {
    return found ? "" : release(held.length());
  }

  private String release(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }

  /** Length of the longest end of the held text with which a stop string begins. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
        if (stop.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
